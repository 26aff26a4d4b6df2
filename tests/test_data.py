"""The data contract: what breaks it is refused in words a person can act on, and what stands in data/ keeps it."""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from evidence import data

ROOT = Path(__file__).resolve().parents[1]
TABLES = data.names()
SOURCE_KINDS = {"official", "dataset", "secondary copy", "press", "encyclopaedia copy"}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of data/ to break, read by the loader in place of the real one."""
    shutil.copytree(data.DATA, tmp_path / "data")
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    data._checked.cache_clear()
    yield tmp_path / "data"
    data._checked.cache_clear()


def edit(path: Path, old: str, new: str, count: int = 1):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"the test expects {old!r} in {path.name}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def refusal(name: str) -> str:
    with pytest.raises(data.DataError) as caught:
        data.load(name)
    return str(caught.value)


BODIES = "legal/council_bodies"
BREAKS = {  # what happens to the file -> words that the message must contain
    "byte-order mark": (lambda p: p.write_bytes(b"\xef\xbb\xbf" + p.read_bytes()), ["row 1", "byte-order mark", "UTF-8"]),
    "semicolons": (lambda p: p.write_text(p.read_text().replace(",", ";")), ["row 1", "semicolons", "commas"]),
    "another encoding": (lambda p: p.write_bytes(p.read_bytes().replace(b"Taliban", b"Taliban\xe9", 1)), ["row 2", "not UTF-8"]),
    "empty file": (lambda p: p.write_text("\n"), ["is empty"]),
    "missing file": (lambda p: p.unlink(), ["is missing", "council_bodies.resource.json"]),
    "date of a spreadsheet": (lambda p: edit(p, "2001-09-28", "28/09/2001"), ["row 3", "'adopted_date'", "'28/09/2001'", "2001-09-28"]),
    "text in a number": (lambda p: edit(p, "1373,", "1 373,"), ["row 3", "'resolution'", "'1 373'", "whole numbers"]),
    "value not allowed": (lambda p: edit(p, ",created,", ",founded,"), ["row 2", "'act'", "'founded'", "must be one of: created, changed, renewed", "allowed values"]),
    "blank where required": (lambda p: edit(p, "1267,1999-10-15", "1267,"), ["row 2", "'adopted_date'", "must not be blank"]),
    "missing column": (lambda p: edit(p, ",act,", ","), ["row 1", "column 'act' is missing", "It reads: resolution,"]),
    "renamed column": (lambda p: edit(p, ",act,", ",deed,"), ["row 1", "column 'act' is missing", "column 'deed' is not in the descriptor"]),
    "duplicate column": (lambda p: edit(p, "adopted_date,", "resolution,"), ["row 1", "'resolution' stands there twice"]),
    "duplicate key": (lambda p: edit(p, "1373,2001-09-28", "1267,2001-09-28"), ["row 3", "column 'resolution", "stands in another row already", "duplicate"]),
    "comma in a number": (lambda p: edit(p, "1373,", "1,373,"), ["row 3", "more cells than the header", "double quotes"]),
    "cell left out": (lambda p: edit(p, "1373,2001-09-28,", "1373,"), ["row 3"]),
    "unknown source": (lambda p: edit(p, "un_sc_bodies", "un_sc_body"), ["row 2", "source_id", "un_sc_body", "data/sources.csv"]),
    "lost row": (lambda p: p.write_text("".join(p.read_text().splitlines(True)[:-1])), ["12 rows", "expects 13", "Restore the missing rows", "row_bounds"]),
    "row too many": (lambda p: p.write_text(p.read_text() + p.read_text().splitlines(True)[-1].replace("2810", "2799", 1)), ["14 rows", "expects 13", "Take out the rows", "raise `row_bounds`"]),
    "cell outside a pattern": (lambda p: edit(p, "un_sc_bodies", "un sc bodies"), ["row 2", "'source_id'", "'un sc bodies'", "does not follow the pattern", "The descriptor says of this column:"]),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_table_is_refused_with_place_and_remedy(copy, case):
    spoil, words = BREAKS[case]
    spoil(copy / f"{BODIES}.csv")
    message = refusal(BODIES)
    assert f"data/{BODIES}.csv" in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(("old", "new", "words"), [
    ('"name": "legal/council_bodies"', '"name": "legal/towns"', "name, value 'legal/towns': does not fit the file. Write 'legal/council_bodies'"),
    ('"path": "council_bodies.csv"', '"path": "towns.csv"', "path, value 'towns.csv': does not fit the file. Write 'council_bodies.csv'")])
def test_a_copied_descriptor_must_name_its_own_table(copy, old, new, words):
    edit(copy / f"{BODIES}.resource.json", old, new)
    assert words in refusal(BODIES)


def test_a_blank_caveat_is_refused(copy):
    path = copy / f"{BODIES}.resource.json"
    path.write_text(re.sub(r'("caveats": \[\s*)"', r'\1" ", "', path.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    assert "council_bodies.resource.json, caveats: one of them is blank" in refusal(BODIES)


def test_ids_of_sources_differ_in_more_than_capitals(copy):
    text = (copy / "sources.csv").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines(True) if line.startswith("abc_marty_2006,"))
    (copy / "sources.csv").write_text(text + row.replace("abc_marty_2006", "ABC_marty_2006", 1), encoding="utf-8")
    assert "value 'ABC_marty_2006': differs from row" in refusal("sources")


def test_a_check_that_was_kept_holds_for_those_very_bytes(copy):
    data.load(BODIES)
    data._checked.cache_clear()
    edit(copy / f"{BODIES}.csv", "2001-09-28", "2001-09-31")
    assert "'2001-09-31'" in refusal(BODIES)


def test_a_table_without_descriptor_is_named(copy):
    (copy / "legal/new_bodies.csv").write_text("body,source_id\n")
    with pytest.raises(data.DataError, match="data/legal/new_bodies.csv has no descriptor"):
        data.check_all()


def test_tables_that_no_chapter_reads_are_checked_too(copy):
    edit(copy / "legal/non_parties.csv", "2024", "twenty")
    with pytest.raises(data.DataError, match="data/legal/non_parties.csv, row 2"):
        data.check_all()


def test_a_column_without_unit_is_named(copy):
    path = copy / f"{BODIES}.resource.json"
    path.write_text(re.sub(r'"unit": "[^"]*"', '"unit": ""', path.read_text(), count=1))
    assert "council_bodies.resource.json, column 'resolution': unit missing" in refusal(BODIES)


def test_a_break_written_as_a_sentence_is_refused_with_the_form_it_needs(copy):
    path = copy / f"{BODIES}.resource.json"
    path.write_text(re.sub(r'"breaks": \[[^\]]*\]', '"breaks": ["2012: new method"]', path.read_text(), count=1))
    assert 'write each break of the series as {"when"' in refusal(BODIES)


def test_a_source_that_many_rows_lost_is_said_once(copy):
    path = copy / "sources.csv"
    path.write_text("".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if not line.startswith("un_sc_bodies,")), encoding="utf-8")
    message = refusal(BODIES)
    assert "rows 2, 6, 7" in message and message.count("un_sc_bodies") == 1


def test_decimal_comma_is_named_with_its_remedy(copy):
    edit(copy / "legal/rule_of_law_years.csv", "8.323", '"8,323"')
    message = refusal("legal/rule_of_law_years")
    assert "row 2" in message and "'mean_score'" in message and "'8,323'" in message and "decimal point" in message


def test_unknown_country_is_refused(copy):
    edit(copy / "legal/treaty_actions.csv", ",AFG,", ",AFX,")
    message = refusal("legal/treaty_actions")
    assert "'iso3'" in message and "'AFX'" in message and "ISO 3166" in message


def test_a_published_total_that_no_longer_holds_is_named(copy):
    edit(copy / "legal/treaty_actions.csv", "bombings_1997,AFG,,2003-09-24", "bombings_1997,AFG,,2014-07-01")
    message = refusal("legal/treaty_actions")
    assert "published is" in message and "source" in message


def test_unknown_table_lists_near_names():
    assert "legal/treaty_actions" in refusal("legal/treaty_action")


def test_a_mistyped_descriptor_names_its_line(copy):
    edit(copy / f"{BODIES}.resource.json", '"grade"', 'grade"')
    assert re.search(r"council_bodies.resource.json, line \d+: not valid JSON", refusal(BODIES))


def test_notebooks_moved_away_from_the_data_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    with pytest.raises(data.DataError, match="full copy of the report"):
        data.names()


def test_a_notebook_opened_from_another_folder_still_finds_the_report(tmp_path):
    code = "from evidence import data; print(len(data.load('legal/council_bodies')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "13", done.stderr


@pytest.mark.parametrize("name", TABLES)
def test_every_table_keeps_its_contract(name):
    frame = data.load(name)
    assert len(frame), name


@pytest.mark.parametrize("name", TABLES)
def test_every_descriptor_is_complete(name):
    descriptor = data.describe(name)
    for key in ("title", "description", "question", "unit_of_observation", "definition", "coverage", "caveats", "processing", "terms", "licenses"):
        assert descriptor.get(key), f"data/{name}.resource.json: {key} is missing or empty"
    assert descriptor["grade"] in "ABC" and descriptor["name"] == name
    assert len(descriptor["caveats"][0]) <= 200, "the first caveat is printed under figures: keep it short"
    for field in descriptor["schema"]["fields"]:
        assert all(field.get(key) for key in ("type", "title", "description", "unit")), f"{name}: column {field['name']} lacks type, title, description or unit"


@pytest.mark.parametrize("name", TABLES)
def test_every_file_is_small_and_safe_to_open_in_a_spreadsheet(name):
    path = data.DATA / f"{name}.csv"
    assert path.stat().st_size < (1_500_000 if name in ("sources", "claims") else 400_000) and len(data.load(name)) < 6_000
    for line, row in enumerate(pd.read_csv(path, dtype=str, keep_default_na=False).itertuples(index=False), 2):
        for cell in row:
            assert not (cell[:1] in "=+-@\t" and cell and not re.fullmatch(r"-?\d+(\.\d+)?", cell)), f"{path.name}, row {line}: {cell!r} would run as a formula"
            assert cell == cell.strip(), f"{path.name}, row {line}: {cell!r} has blanks at its ends"


def test_every_source_is_complete_and_used():
    sources = data.load("sources").set_index("source_id")
    needed = ["producer", "title", "published", "url", "kind", "terms", "redistribution"]
    assert not sources[needed].isna().any().any()
    assert set(sources["kind"]) <= SOURCE_KINDS
    assert sources["url"].str.match(r"https?://[\w.-]+\.\w+").all()
    assert sources["published"].str.fullmatch(r"undated|\d{4}(-\d{2}){0,2}").all(), sources.loc[~sources["published"].str.fullmatch(r"undated|\d{4}(-\d{2}){0,2}"), "published"]
    used = {source for name in TABLES if name != "sources" for frame in [data.load(name)] for column in frame.columns[frame.columns.str.endswith("source_id")] for source in frame[column].dropna()}
    used |= {total["source_id"] for name in TABLES for total in data.describe(name).get("totals", [])}
    assert set(sources.index) == used, f"in the registry but unused: {sorted(set(sources.index) - used)[:5]}; used but missing: {sorted(used - set(sources.index))[:5]}"


def test_no_table_carries_events_that_may_not_be_republished():
    terms = data.load("sources").set_index("source_id")["redistribution"]
    for name in TABLES:
        frame = data.load(name)
        if "iso3" in frame and name != "sources":
            assert not terms.reindex(frame["source_id"].dropna().unique()).eq("aggregates only").any(), f"{name} carries country rows of a source that allows aggregates only"


def test_the_data_package_is_current_and_valid_for_the_stock_tool():
    committed = json.loads((ROOT / "data/datapackage.json").read_text(encoding="utf-8"))
    assert [resource["name"] for resource in committed["resources"]] == TABLES
    assert committed["version"] == yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    check = subprocess.run([sys.executable, "book/_tools/datapackage.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr
    stock = subprocess.run([str(Path(sys.executable).with_name("frictionless")), "validate", "data/datapackage.json"], cwd=ROOT, capture_output=True, text=True)
    assert stock.returncode == 0, stock.stdout[-3000:]


def test_a_stale_data_package_is_named(tmp_path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copytree(ROOT / "notebooks/evidence", tmp_path / "notebooks/evidence")
    (tmp_path / "book/_tools").mkdir(parents=True)
    shutil.copy(ROOT / "book/_tools/datapackage.py", tmp_path / "book/_tools")
    shutil.copy(ROOT / "CITATION.cff", tmp_path)
    edit(tmp_path / f"data/{BODIES}.resource.json", '"grade": "B"', '"grade": "C"')
    check = subprocess.run([sys.executable, "book/_tools/datapackage.py", "--check"], cwd=tmp_path, capture_output=True, text=True)
    assert check.returncode == 1 and "make datapackage" in check.stdout + check.stderr
