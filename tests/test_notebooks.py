"""The chapters as notebooks: short plain cells, no number typed into the prose, every claim judged once; and the proof can fail.

Checkers take a notebook's content and return faults in words; each is shown to see a fault before it looks at the chapters.
"""
import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import freshness
import pytest
import stored
from execution import ONE_THREAD

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = stored.notebooks(ROOT)
LEGAL = ROOT / "notebooks/04-legal-frameworks.ipynb"
CELLS, MEDIAN_STATEMENTS, MOST_LINES, TITLE_WORDS = (5, 50), 4, 15, 15
VIEW_TAGS = {"remove-input", "hide-input"}
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*%?")
MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
NAMES = re.compile(
    r"`[^`]*`|\]\([^)]*\)|\{[a-z-]+\}|https?://\S+|^#{1,6} \d+\.|[A-Z]{2,}[-/][\w/.-]*\d[\w/.-]*"  # code, targets, roles, addresses, chapter numbers, ids
    rf"|\b\d{{4}}-\d\d-\d\d\b|\b95% intervals?\b|\b\d{{1,2}}\s(?:{MONTH})\b|(?<![\d,.])(?:1[89]|20)\d\d(?:s\b|[–-]\d\d\b|(?![\d,.]\d|%))"  # levels, days, years
    r"|\b(?:[Rr]esolutions?|[Aa]rticles?|[Cc]laims?|[Ff]igures?|[Tt]ables?|[Cc]hapters?)\s\d+(?:\.\d+)*(?:(?:,| and| to) \d+(?:\.\d+)*)*", re.M)


def sources(notebook: dict, kind: str) -> list[str]:
    """The texts of the cells of a kind."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def lines(source: str) -> int:
    """How many lines of a cell hold something."""
    return sum(bool(line.strip()) for line in source.splitlines())


# Checkers


def long_cells(notebook: dict) -> list[str]:
    """More, fewer or longer code cells than a reader follows."""
    counts = [lines(source) for source in sources(notebook, "code")]
    faults = [] if CELLS[0] <= len(counts) <= CELLS[1] else [f"{len(counts)} code cells, {CELLS[0]} to {CELLS[1]} are wanted: join cells, or move computing to notebooks/evidence/measures.py"]
    steps = median([len(ast.parse(source).body) for source in sources(notebook, "code")])
    faults += [f"half of the cells take {steps:g} statements or more, {MEDIAN_STATEMENTS} are wanted"] if steps > MEDIAN_STATEMENTS else []
    return faults + [f"code cell {number} has {count} lines, at most {MOST_LINES} are wanted" for number, count in enumerate(counts, 1) if count > MOST_LINES]


def machinery(notebook: dict) -> list[str]:
    """Definitions, and imports outside the one cell for them: those belong in the helper package."""
    faults, importing = [], []
    for number, source in enumerate(sources(notebook, "code"), 1):
        tree = list(ast.walk(ast.parse(source)))
        importing += [number] if any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree) else []
        faults += [f"code cell {number} defines {node.name}" for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        faults += [f"code cell {number} loads {package}" for package in ("warnings", "os", "sys", "subprocess") if re.search(rf"\bimport {package}\b", source)]
    return faults + ([] if importing == [1] else [f"code cells {importing} import: the first cell alone should"])


def excuses(notebook: dict) -> list[str]:
    """Tags and comments by which nbval would overlook a cell, magics, and errors that were stored."""
    faults = []
    for number, cell in enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), 1):
        source = "".join(cell["source"])
        faults += [f"code cell {number} has the tag {tag}" for tag in cell["metadata"].get("tags", []) if tag not in VIEW_TAGS]
        faults += [f"code cell {number} tells nbval what to overlook" for _ in re.findall(r"#\s*(?:NBVAL_|PYTEST_VALIDATE_)", source)]
        faults += [f"code cell {number} has a magic command" for _ in re.findall(r"^\s*[%!]", source, re.M)]
        faults += [f"code cell {number} stored {output['output_type']}" for output in cell["outputs"] if output["output_type"] in ("error", "stream")]
    return faults


def wrong_order(notebook: dict) -> list[str]:
    """Cells that were not run once each from top to bottom."""
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"the cells were run in the order {counts}"]


def typed_numbers(notebook: dict) -> list[str]:
    """Numbers in the prose that nothing computes: all but years, days, and the names of resolutions, articles, claims and figures."""
    return [f"{number} in {line.strip()[:70]!r}" for text in sources(notebook, "markdown")
            for line, rest in zip(text.splitlines(), nameless(text).splitlines(), strict=True) for number in NUMBER.findall(rest)]


def nameless(text: str) -> str:
    """A text with years, days and names that hold numbers blotted out."""
    return NAMES.sub(lambda match: re.sub(r"\S", " ", match[0]), text)


def typed_results(notebook: dict) -> list[str]:
    """Titles, findings, alternative texts and computed prose written as plain strings although they state a number."""
    faults = []
    for number, source in enumerate(sources(notebook, "code"), 1):
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            texts = [word.value for word in call.keywords if word.arg in ("title", "subtitle", "alt")]
            texts += call.args[-1:] if ast.unparse(call.func) in ("text.say", "figure.finding") else []
            plain = " ".join(piece.value for text in texts for piece in ast.walk(text) if isinstance(piece, ast.Constant) and isinstance(piece.value, str))
            faults += [f"code cell {number} types {found} in {plain.strip()[:60]!r}" for found in NUMBER.findall(nameless(plain))]
    return faults


def wrong_verdicts(cards: list[dict], rows: list[dict], figures: list[str]) -> list[str]:
    """Claims judged in the ledger without one card that says the same, cards without a judged claim, cards that name no figure there is."""
    shown, judged = [card["id"] for card in cards], {row["claim_id"]: row for row in rows if row["verdict"]}
    faults = [f"{name} is judged in the ledger and has {shown.count(name)} cards" for name in judged if shown.count(name) != 1]
    faults += [f"{name} has a card and is not judged in the ledger of this chapter" for name in sorted(set(shown) - set(judged))]
    for card in cards:
        row = judged.get(card["id"], {})
        faults += [f"{card['id']}: the card has another {key} than the ledger" for key in ("verdict", "claim") if row and card[key] != row[key]]
        faults += [f"{card['id']} cites {name}, which is no figure or table" for name in card["figures"] if name not in figures]
        faults += [f"{card['id']} cites no figure"] if not card["figures"] else []
    return faults


def poor_titles(figures: list[dict]) -> list[str]:
    """Titles that are long, or do not state a finding in a sentence of their own; ids used twice."""
    ids = [item["id"] for item in figures]
    faults = [f"{item['id']}: {len(item['title'].split())} words in the title" for item in figures if len(item["title"].split()) > TITLE_WORDS]
    faults += [f"{item['id']}: the title ends with a full stop" for item in figures if item["title"].endswith(".")]
    return faults + [f"{name} stands {ids.count(name)} times" for name in sorted(set(ids)) if ids.count(name) > 1]


CHECKS = [long_cells, machinery, excuses, wrong_order, typed_numbers, typed_results]


# The checkers see faults


def notebook_of(*codes: str, text: str = "", **cell) -> dict:
    """A notebook of a text and code cells that were run in order."""
    made = [{"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": number} | cell for number, code in enumerate(codes, 1)]
    return {"cells": [{"cell_type": "markdown", "source": text, "metadata": {}}, *made]}


BROKEN = [
    (long_cells, notebook_of(*["a = 1"] * 4), "4 code cells, 5 to 50 are wanted: join cells, or move computing to notebooks/evidence/measures.py"),
    (long_cells, notebook_of(*["a = 1"] * 51), "51 code cells, 5 to 50 are wanted: join cells, or move computing to notebooks/evidence/measures.py"),
    (long_cells, notebook_of(*["a = 1\n\n" * 5] * 15), "half of the cells take 5 statements or more, 4 are wanted"),
    (long_cells, notebook_of(*["a = 1"] * 15, "a = 1\n" * 16), "code cell 16 has 16 lines, at most 15 are wanted"),
    (machinery, notebook_of("import a", "def helper():\n    pass"), "code cell 2 defines helper"),
    (machinery, notebook_of("import a", "class Frame:\n    pass"), "code cell 2 defines Frame"),
    (machinery, notebook_of("import a", "import b"), "code cells [1, 2] import: the first cell alone should"),
    (machinery, notebook_of("import warnings"), "code cell 1 loads warnings"),
    (excuses, notebook_of("1", metadata={"tags": ["nbval-ignore-output"]}), "code cell 1 has the tag nbval-ignore-output"),
    (excuses, notebook_of("1", metadata={"tags": ["raises-exception"]}), "code cell 1 has the tag raises-exception"),
    (excuses, notebook_of("# NBVAL_SKIP\n1"), "code cell 1 tells nbval what to overlook"),
    (excuses, notebook_of("%matplotlib inline"), "code cell 1 has a magic command"),
    (excuses, notebook_of("1", outputs=[{"output_type": "stream"}]), "code cell 1 stored stream"),
    (wrong_order, notebook_of("1", "2", execution_count=2), "the cells were run in the order [2, 2]"),
    (wrong_order, notebook_of("1", execution_count=None), "the cells were run in the order [None]"),
    *[(typed_numbers, notebook_of(text=text), f"{number} in {text!r}") for text, number in (
        ("It rose to 187 parties.", "187"), ("A share of 6.9% of all.", "6.9%"), ("It cost 1,234 dollars.", "1,234"), ("About 2001.5 is odd.", "2001.5"),
        ("In 75 countries by 2022.", "75"), ("A fall of 20% since May.", "20%"), ("On 9/11 it was so.", "9"), ("(95% of States)", "95%"))],
    (typed_results, notebook_of('figure.publish(c, title=f"From 4 to {n} parties")'), "code cell 1 types 4 in 'From 4 to   parties'"),
    (typed_results, notebook_of('figure.publish(c, subtitle="Shares of 12 States")'), "code cell 1 types 12 in 'Shares of 12 States'"),
    (typed_results, notebook_of('text.say("""It rose to 187 parties.""")'), "code cell 1 types 187 in 'It rose to 187 parties.'"),
]


@pytest.mark.parametrize(("check", "notebook", "fault"), BROKEN, ids=[f"{check.__name__}-{number}" for number, (check, *_) in enumerate(BROKEN)])
def test_the_checker_sees_the_fault(check, notebook, fault):
    assert fault in check(notebook)


def test_names_and_years_are_no_numbers():
    text = "# 4. Legal\n\nOn 11 September 2001, in the 1970s, 1968–72 and 1999–2004, resolutions 1373 and 1566, article 25, [LEG-01](#LEG-01), A/RES/55/158, {numref}`fig-2`."
    assert typed_numbers(notebook_of(text=text)) == []
    assert typed_results(notebook_of('figure.finding("finding-1", f"Since 11 September 2001 {n:.1f} times", figure="fig-3")')) == []


def test_wrong_verdicts_are_seen():
    row = {"claim_id": "LEG-01", "verdict": "Mixed", "claim": "C"}
    card = {"id": "LEG-01", "verdict": "Mixed", "claim": "C", "figures": ["fig-a"]}
    assert wrong_verdicts([card], [row], ["fig-a"]) == []
    assert wrong_verdicts([], [row], []) == ["LEG-01 is judged in the ledger and has 0 cards"]
    assert wrong_verdicts([card, card], [row], ["fig-a"]) == ["LEG-01 is judged in the ledger and has 2 cards"]
    assert wrong_verdicts([card | {"figures": ["fig-b"], "verdict": "Supported"}], [row], ["fig-a"]) == [
        "LEG-01: the card has another verdict than the ledger", "LEG-01 cites fig-b, which is no figure or table"]
    assert wrong_verdicts([card | {"figures": []}], [row | {"verdict": ""}], []) == [
        "LEG-01 has a card and is not judged in the ledger of this chapter", "LEG-01 cites no figure"]


def test_poor_titles_are_seen():
    figures = [{"id": "fig-a", "title": "one " * 16}, {"id": "fig-a", "title": "One rose."}]
    assert poor_titles(figures) == ["fig-a: 16 words in the title", "fig-a: the title ends with a full stop", "fig-a stands 2 times"]


# The chapters


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_chapter_has_no(check, path):
    faults = check(json.loads(path.read_text(encoding="utf-8")))
    assert not faults, "\n".join(faults)


def outputs_of(path: Path, *kinds: str) -> list[dict]:
    """The stored outputs of one chapter."""
    return [item.content for item in stored.outputs(ROOT, *kinds) if item.docname == f"notebooks/{path.stem}"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_ledger_and_the_cards_of_the_chapter_agree(path):
    with open(ROOT / "data/claims.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["chapter"] == str(int(path.stem[:2]))]
    figures = [item["id"] for _, item in stored.figures(ROOT)]  # a card may rest on a figure of another chapter
    cards = outputs_of(path, stored.VERDICT)
    assert cards and wrong_verdicts(cards, rows, figures) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_titles_of_the_chapter_are_short_and_its_findings_cite_figures(path):
    figures = [item for docname, item in stored.figures(ROOT) if docname == f"notebooks/{path.stem}"]
    assert figures and poor_titles(figures) == []
    findings = outputs_of(path, stored.FINDING)
    assert findings and all(item["figures"] for item in findings), "a finding cites no figure"
    assert {name for item in findings for name in item["figures"]} <= {figure["id"] for figure in figures}


def test_there_is_a_chapter_to_look_at():
    assert CHAPTERS, "no notebook has a two-digit prefix"


# The proof can fail


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """What the notebooks need, in a folder that a test may spoil."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("data", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "requirements.lock.txt", root)
    return root


def change(path: Path, pattern: str, new: str) -> None:
    """Change the first place that fits in a file."""
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1)
    assert count == 1, f"{path.name} has no {pattern}"
    path.write_text(text, encoding="utf-8")


def test_outputs_edited_by_hand_are_named(copy, tmp_path):
    root = Path(shutil.copytree(copy, tmp_path / "copy"))
    path = root / "notebooks" / LEGAL.name
    before = freshness.stale(root, path)
    change(path, r'"verdict": "Not shown"', '"verdict": "Supported"')
    assert set(freshness.stale(root, path)) - set(before) == {"its outputs were edited by hand or stored by another run"}


def shorten(path: Path, table: str) -> None:
    """Cut a notebook after its first chart of a table: enough to see a changed datum, in a fraction of the time."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    specs = [[output.get("data", {}).get(stored.CHART) for output in cell.get("outputs", [])] for cell in notebook["cells"]]
    drawn = [any(table in (item["name"] for item in spec["usermeta"]["evidence"]["tables"]) for spec in found if spec) for found in specs]
    notebook["cells"] = notebook["cells"][:drawn.index(True) + 1]
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.slow
def test_nbval_fails_when_one_datum_changes(copy):
    """Move one day on which a State joined, which leaves the table valid: stored outputs must no longer match."""
    notebook = copy / "notebooks" / LEGAL.name
    shorten(notebook, "legal/treaty_actions")
    change(copy / "data/legal/treaty_actions.csv", r"(hostages_1979,[A-Z]{3},[^,]*,)(?:199\d-\d\d-\d\d)", r"\g<1>2002-05-05")
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", "--rootdir", str(copy), "--color=no", "--tb=line"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "EVIDENCE"))} | ONE_THREAD
    done = subprocess.run([sys.executable, "-m", "pytest", *options, str(notebook)], cwd=copy, env=env, capture_output=True, text=True)
    failed, passed = (int((re.search(rf"(\d+) {word}", done.stdout) or [0, 0])[1]) for word in ("failed", "passed"))
    assert done.returncode == 1 and failed >= 1, done.stdout[-2000:]
    assert passed > failed, "more failed than the changed datum explains: " + done.stdout[-2000:]
