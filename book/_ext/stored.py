"""What the book reads from disk: stored notebook outputs and the data package. No Sphinx here."""
from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

CHART = "application/vnd.vegalite.v5+json"
TABLE = "application/vnd.evidence.table+json"
VERDICT = "application/vnd.evidence.verdict+json"
FINDING = "application/vnd.evidence.finding+json"
VERDICTS = ("Supported", "Supported with limits", "Mixed", "Contradicted", "Not shown", "Not testable")


class Output(NamedTuple):
    """One of our stored outputs and the page it stands on."""

    docname: str
    content: dict


def notebooks(root: Path) -> list[Path]:
    """The chapters in the order of their two-digit prefix."""
    return sorted((root / "notebooks").glob("[0-9][0-9]-*.ipynb"))


def outputs(root: Path, *mimes: str) -> Iterator[Output]:
    """Every stored output of the kinds asked for, in reading order."""
    for path in notebooks(root):
        for cell in _json(path, path.stat().st_mtime_ns)["cells"]:
            for output in cell.get("outputs", []):
                for mime in mimes:
                    if mime in output.get("data", {}):
                        yield Output(f"notebooks/{path.stem}", output["data"][mime])


def figures(root: Path) -> Iterator[Output]:
    """The printed figures and tables, as their contract dictionaries."""
    for docname, content in outputs(root, CHART, TABLE):
        evidence = content.get("usermeta", {}).get("evidence") if "$schema" in content else content
        if evidence:
            yield Output(docname, evidence)


def tables_read(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Each chapter with the names of all tables that its run read, as its fingerprint has them."""
    for path in notebooks(root):
        fingerprint = _json(path, path.stat().st_mtime_ns)["metadata"].get("fingerprint", {})
        yield f"notebooks/{path.stem}", list(fingerprint.get("tables", {}))


def chapter_number(docname: str) -> str:
    """The chapter's number as its file name has it: 'notebooks/04-legal-frameworks' -> '4'."""
    return str(int(docname.rsplit("/", 1)[-1][:2]))


def title(path: Path) -> str:
    """The title of a chapter, its first heading."""
    cells = _json(path, path.stat().st_mtime_ns)["cells"]
    return "".join(cells[0]["source"]).splitlines()[0].lstrip("# ")


def package_path(root: Path) -> Path:
    """Where the generated data package descriptor lives."""
    return root / "data" / "datapackage.json"


def resources(root: Path) -> dict[str, dict]:
    """The tables of the data package by name, in its order; empty when there is no package."""
    path = package_path(root)
    if not path.exists():
        return {}
    return {item["name"]: item for item in _json(path, path.stat().st_mtime_ns)["resources"]}


def rows(root: Path, name: str) -> list[dict[str, str]]:
    """The rows of one table of the package, every cell as its text."""
    path = root / "data" / f"{name}.csv"
    return _table(path, path.stat().st_mtime_ns)


def citation(root: Path) -> dict:
    """CITATION.cff as a dictionary."""
    return yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))


def authors(cited: dict) -> list[str]:
    """The authors named in a citation file: bodies by name, persons as 'family, given'."""
    return [item.get("name") or f"{item['family-names']}, {item['given-names']}" for item in cited["authors"]]


def table_page(name: str) -> str:
    """The docname of a table's data page."""
    return f"book/tables/{name.replace('/', '-')}"


def theme(name: str) -> str:
    """The theme of a table in words: its folder, or the registers at the root of data/."""
    return name.split("/")[0].replace("_", " ").capitalize() if "/" in name else "Registers"


def source_columns(resource: dict) -> list[str]:
    """The columns of a table that hold a source id."""
    names = [field["name"] for field in resource["schema"]["fields"]]
    return [name for name in names if name.endswith("source_id")] if resource["name"] != "sources" else []


@lru_cache(maxsize=64)
def _json(path: Path, _changed: int) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=64)
def _table(path: Path, _changed: int) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
