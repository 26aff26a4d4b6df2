"""Give me this table: every row typed, checked against its descriptor and traceable to its source."""
from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
KEPT = ROOT / "_build" / ".kept"
REMEDIES = {
    "date": "Write dates as year-month-day, for example 2001-09-28.",
    "integer": "Write whole numbers with digits only: no thousands separator, no unit, no decimal comma, no formula.",
    "number": "Write numbers with a decimal point and no thousands separator, for example 3.5.",
    "boolean": "Write true or false.",
    "unique": "Remove the duplicate, or correct the key.",
    "enum": "Use one of the allowed values, or add the new one to the descriptor.",
    "required": "Fill the cell, or leave the row out: nothing enters data/ without its source.",
    "pattern": "The descriptor says of this column: {}",
    "minimum": "Correct the value, or the limit in the descriptor if the value is right.",
    "maximum": "Correct the value, or the limit in the descriptor if the value is right.",
    "sources": "Add the source to data/sources.csv first, or correct the id.",
    "reference/countries": "Use an ISO 3166-1 alpha-3 code listed in data/reference/countries.csv.",
}


NEEDED = ("title", "description", "question", "unit_of_observation", "definition", "coverage", "caveats", "processing", "grade",
          "terms", "licenses", "row_bounds", "schema")
RULES = {"enum": "must be one of: {}", "required": "must not be blank", "unique": "stands there twice", "minimum": "must be at least {}",
         "maximum": "must be at most {}", "pattern": "does not follow the pattern {}"}


class DataError(ValueError):
    """A table, a descriptor or a cell that breaks the data contract; the message says where and what to do."""


def names() -> list[str]:
    """Names of all tables, for example 'legal/treaty_actions'."""
    found = sorted(DATA.rglob("*.resource.json"))
    if not found:
        raise DataError(f"No tables in {DATA}: open the notebook inside a full copy of the report, where data/ stands beside notebooks/.")
    return [path.relative_to(DATA).as_posix().removesuffix(".resource.json") for path in found]


def describe(name: str) -> dict:
    """The descriptor of a table: a Frictionless Data Resource with our own keys beside the standard ones.

    Raises DataError with the nearest names if there is no such table.
    """
    path = DATA / f"{name}.resource.json"
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.3)
        raise DataError(f"There is no table {name!r} in data/. Did you mean {' or '.join(near) or 'another theme'}? All tables: {', '.join(names())}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"data/{name}.resource.json, line {error.lineno}: not valid JSON ({error.msg}). Mend the descriptor.") from None


def check_all() -> None:
    """Every table against its contract, also those that no chapter reads yet; raises DataError for the first that breaks it."""
    for path in sorted(DATA.rglob("*.csv")):
        name = path.relative_to(DATA).with_suffix("").as_posix()
        if name not in names():
            raise DataError(f"data/{name}.csv has no descriptor data/{name}.resource.json, so it is in no page and no check. "
                            "Copy the descriptor of a table like it and describe the new one.")
    for name in names():
        _checked(name)


def load(name: str) -> pd.DataFrame:
    """A table as a typed frame, after its checks: one row a unit of observation, blank cells missing.

    Dates become datetime64, whole numbers Int64, everything else what the descriptor says.
    Raises DataError naming file, row, column, value, rule and remedy for the first cells that break the contract.
    """
    trace(table=name)
    return _checked(name).copy()


def registry(name: str) -> pd.DataFrame:
    """'sources' or 'claims', checked like any table; whoever uses a row notes it with `trace`, so that a notebook
    depends on its own rows and not on the whole register."""
    return _checked(name).copy()


def source_rows(ids) -> pd.DataFrame:
    """The registry rows of these source ids, most used first. Shape: one row a source."""
    order = pd.Series(list(ids), dtype="str").value_counts()
    for source_id in order.index:
        trace(source=source_id)
    return registry("sources").set_index("source_id").loc[order.index].reset_index()


def package(resources=None) -> dict:
    """All descriptors as one Data Package: paths relative to data/, foreign keys to sources and countries added."""
    return {
        "name": "international-cooperation-in-counterterrorism",
        "title": "Data of the report 'International Cooperation in Counterterrorism'",
        "description": "Small curated tables, each with its sources, behind every figure and verdict of the report.",
        "licenses": [{"name": "CC-BY-4.0", "title": "Creative Commons Attribution 4.0 for our selection and wording; the terms of each table's producers hold for its values",
                      "path": "https://creativecommons.org/licenses/by/4.0/"}],
        "resources": [_inlined(name) for name in (resources or names())],
    }


def kept(key: bytes, suffix: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns for this key, made once and kept in _build/.kept under the key's hash; the key holds all that it depends on."""
    path = KEPT / f"{hashlib.sha256(key).hexdigest()[:32]}.{suffix}"
    with contextlib.suppress(OSError):
        return path.read_bytes()
    made = make()
    with contextlib.suppress(OSError):  # a copy of the report that cannot be written to works all the same
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(made)
        os.replace(new, path)
    return made


def trace(**used) -> None:
    """Note what a notebook uses, so that the build knows what its outputs depend on."""
    if path := os.environ.get("EVIDENCE_TRACE"):
        with open(path, "a", encoding="utf-8") as log:
            log.write(json.dumps(used) + "\n")


@cache
def _checked(name: str) -> pd.DataFrame:
    descriptor = describe(name)
    _check_descriptor(name, descriptor)
    _check_file(name, [field["name"] for field in descriptor["schema"]["fields"]])
    _check_contract(name)
    frame = _typed(DATA / f"{name}.csv", descriptor["schema"]["fields"])
    _check_keys(name, frame)
    _check_ids(name, frame)
    _check_bounds(name, descriptor, frame)
    return frame


def _check_descriptor(name: str, descriptor: dict) -> None:
    """What a table's page and figures print must be there: the texts, and title, description and unit of each column."""
    if missing := [key for key in NEEDED if not descriptor.get(key)]:
        raise DataError(f"data/{name}.resource.json: {', '.join(missing)} missing or empty. Write it as the descriptors beside it do.")
    if not all(isinstance(text, str) and text.strip() for text in descriptor["caveats"]):
        raise DataError(f"data/{name}.resource.json, caveats: one of them is blank. Say in a sentence what the table cannot show; the first is printed under every figure.")
    for key, value in {"name": name, "path": f"{Path(name).name}.csv"}.items():
        if descriptor.get(key) != value:
            raise DataError(f"data/{name}.resource.json, {key}, value {descriptor.get(key)!r}: does not fit the file. Write {value!r}.")
    if not all(isinstance(item, dict) and item.keys() >= {"when", "what"} for item in descriptor.get("breaks", [])):
        raise DataError(f'data/{name}.resource.json, breaks: write each break of the series as {{"when": "2012", "what": "what changes"}}.')
    for field in descriptor["schema"]["fields"]:
        if missing := [key for key in ("type", "title", "description", "unit") if not field.get(key)]:
            raise DataError(f"data/{name}.resource.json, column {field['name']!r}: {', '.join(missing)} missing. For a column without a unit write \"none\".")


def _check_file(name: str, columns: list[str]) -> None:
    """What a spreadsheet or an interrupted save does to a file, said before a parser stumbles over it."""
    path, shown = DATA / f"{name}.csv", f"data/{name}.csv"
    if not path.exists():
        raise DataError(f"{shown} is missing, but its descriptor stands in data/{name}.resource.json. Restore the file, or remove both.")
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError(f"{shown} is empty. Restore the file.")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise DataError(f"{shown}, row 1: the file begins with a byte-order mark, as spreadsheets write it. Save it as plain UTF-8 (CSV, comma separated).")
    try:
        header = raw.decode("utf-8").splitlines()[0].lstrip()
    except UnicodeDecodeError as error:
        row = raw[:error.start].count(b"\n") + 1
        raise DataError(f"{shown}, row {row}: the file is not UTF-8. Save it as UTF-8 (CSV, comma separated).") from None
    if header.count(";") > header.count(","):
        raise DataError(f"{shown}, row 1: columns are separated by semicolons, as some spreadsheets write them. Save it with commas.")
    found = header.split(",")
    faults = [f"column {column!r} is missing" for column in columns if column not in found]
    faults += [f"column {column!r} is not in the descriptor" for column in found if column not in columns]
    faults += [f"column {column!r} stands there twice" for column in dict.fromkeys(found) if found.count(column) > 1]
    if faults or found != columns:
        raise DataError(f"{shown}, row 1: {'; '.join(faults) or 'the columns stand in another order'}. Restore the header, or change the descriptor. It reads: {','.join(columns)}")


def _check_contract(name: str) -> None:
    """Hold every cell against the descriptor; a table that passed is not checked again until it or its descriptor changes."""
    pair = [(DATA / f"{name}{suffix}").read_bytes() for suffix in (".csv", ".resource.json")]
    kept(b"\0".join([version("frictionless").encode(), name.encode(), *pair]), "good", lambda: _validate(name))


def _validate(name: str) -> bytes:
    from frictionless import Resource

    report = Resource.from_descriptor(describe(name), basepath=str((DATA / name).parent)).validate(limit_errors=5)
    if not report.valid:
        raise DataError("\n".join(_plain(name, error) for error in report.tasks[0].errors))
    return b""


def _keys(name: str, columns) -> list[tuple[str, str, str]]:
    """The columns of a table that name rows of another: (column, other table, its key)."""
    keys = [(column, "sources", "source_id") for column in columns if column.endswith("source_id") and name != "sources"]
    return keys + ([("iso3", "reference/countries", "iso3")] if "iso3" in columns and name != "reference/countries" else [])


def _check_keys(name: str, frame: pd.DataFrame) -> None:
    for column, table, key in _keys(name, frame.columns):
        unknown = frame[column].dropna().loc[lambda cells: ~cells.isin(_checked(table)[key])]
        if len(unknown):
            value = unknown.iloc[0]
            rows = unknown.index[unknown == value] + 2
            where = f"row{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:5]))}{' and more' if len(rows) > 5 else ''}"
            raise DataError(f"data/{name}.csv, {where}, column {column!r}, value {value!r}: data/{table}.csv has no such row. {REMEDIES[table]}")


def _check_ids(name: str, frame: pd.DataFrame) -> None:
    """The page of references makes an address of each id of a source, and addresses do not tell capitals apart."""
    if name == "sources":
        small = frame["source_id"].str.lower()
        for row, value in frame["source_id"][small.duplicated()].items():
            first = small.index[small == value.lower()][0] + 2
            raise DataError(f"data/sources.csv, row {row + 2}, column 'source_id', value {value!r}: differs from row {first} in capitals alone. "
                            "Keep one row, if it is the same source, or give one another id.")


def _plain(name: str, error) -> str:
    """One frictionless error as a sentence: file, row, column, value, rule, remedy."""
    row, column, value = (getattr(error, key, None) for key in ("row_number", "field_name", "cell"))
    fields = {field["name"]: field for field in describe(name)["schema"]["fields"]}
    rule, remedy = error.note.rstrip("."), "Compare the row with its neighbours and the header."
    if error.type == "type-error":
        rule, remedy = f"is not a valid {fields[column]['type']}", REMEDIES.get(fields[column]["type"], "")
    elif constraint := re.match(r'constraint "(\w+)" is "(.*)"', error.note):
        key, limit = constraint.groups()
        value = value if key != "required" else None
        rule, remedy = RULES.get(key, rule).format(limit.strip("[]").replace("'", "")), REMEDIES.get(key, "").format(fields[column]["description"])
    elif error.type == "primary-key":
        keys = describe(name)["schema"]["primaryKey"]
        column, rule, remedy = ", ".join([keys] if isinstance(keys, str) else keys), "the key of this row stands in another row already", REMEDIES["unique"]
    elif error.type == "extra-cell":
        rule, remedy = "the row has more cells than the header", "Put a text with a comma in double quotes, and write numbers without a thousands separator."
    elif error.type == "missing-cell":
        rule, remedy = "the row has fewer cells than the header", "Write a comma for each blank cell, also at the end of the row."
        value = None
    place = [f"data/{name}.csv", f"row {row}" if row else "", f"column {column!r}" if column else "", f"value {value!r}" if value else ""]
    return f"{', '.join(filter(None, place))}: {rule}. {remedy}".rstrip()


def _typed(path: Path, fields: list[dict]) -> pd.DataFrame:
    kinds = {"integer": "Int64", "year": "Int64", "number": "float64", "boolean": "boolean"}
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={
        field["name"]: kinds.get(field["type"], "str") for field in fields if field["type"] != "date"})
    dates = [field["name"] for field in fields if field["type"] == "date"]
    return frame.assign(**{column: pd.to_datetime(frame[column], format="%Y-%m-%d") for column in dates})


def _check_bounds(name: str, descriptor: dict, frame: pd.DataFrame) -> None:
    low, high = descriptor["row_bounds"]["min"], descriptor["row_bounds"]["max"]
    if not low <= len(frame) <= high:
        remedy = "Restore the missing rows, or lower" if len(frame) < low else "Take out the rows that came in by mistake, or raise"
        raise DataError(f"data/{name}.csv has {len(frame)} rows; its descriptor expects {low} to {high}. {remedy} `row_bounds` in the descriptor if the table is right.")
    for total in descriptor.get("totals", []):
        found = _total(frame, total["expr"])
        if abs(found - total["expect"]) > total.get("tolerance", 0):
            raise DataError(f"data/{name}.csv: {total['what']} The rows give {found}, published is {total['expect']} "
                            f"(source {total['source_id']}). Correct the rows, or the total in the descriptor.")


def _total(frame: pd.DataFrame, expr: dict) -> float:
    """Count or sum of the rows that a descriptor's `totals` entry selects."""
    for column, value in expr.get("filter", {}).items():
        frame = frame[frame[column] == value]
    for column, limit in expr.get("before", {}).items():
        frame = frame[frame[column] <= limit]
    return len(frame) if expr.get("count") else float(frame[expr["sum"]].sum())


def _inlined(name: str) -> dict:
    """One descriptor as the package carries it: path relative to data/, foreign keys added."""
    descriptor = describe(name)
    folder = Path(name).parent.as_posix()
    schema = descriptor["schema"]
    keys = _keys(name, [field["name"] for field in schema["fields"]])
    foreign = [{"fields": [column], "reference": {"resource": table, "fields": [target]}} for column, table, target in keys]
    return {**descriptor, "path": f"{folder}/{descriptor['path']}".removeprefix("./"), "schema": {**schema, **({"foreignKeys": foreign} if foreign else {})}}
