"""Exactly the notebooks whose outputs no longer follow from their inputs are named and rerun."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import freshness
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

DATA_MODULE = '''"""Reads tables."""
import csv
import json
import os


def trace(**used):
    """Note what is used."""
    with open(os.environ["EVIDENCE_TRACE"], "a") as log:
        log.write(json.dumps(used) + "\\n")


def total(name):
    """Add up a table's values."""
    trace(table=name)
    trace(source="src_a")
    with open(f"../data/{name}.csv") as file:
        return sum(int(row["value"]) for row in csv.DictReader(file))  # one row a state
'''
DRAWING_MODULE = '''"""Draws."""
from .words import loud


def bar(number):
    """Draw a bar."""
    return loud("#" * number)
'''
WORDS_MODULE = '''"""Words."""


def loud(text):
    return text + "!"
'''


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A small project of two notebooks and two tables, run once."""
    root = tmp_path_factory.mktemp("project")
    package = root / "notebooks" / "evidence"
    package.mkdir(parents=True)
    modules = {"__init__": '"""Helpers."""\n', "data": DATA_MODULE, "drawing": DRAWING_MODULE, "words": WORDS_MODULE}
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    for table in ["law/treaties", "money/listings"]:
        (root / "data" / table).parent.mkdir(parents=True)
        (root / "data" / f"{table}.csv").write_text("iso3,value\nAFG,2\nZWE,3\n")
        (root / "data" / f"{table}.resource.json").write_text('{"title": "A table"}\n')
    (root / "data" / "sources.csv").write_text("source_id,title\nsrc_a,One\nsrc_b,Two\n")
    (root / "data" / "claims.csv").write_text("claim_id,claim\nLEG-01,First\nLEG-02,Second\n")
    (root / "requirements.lock.txt").write_text("pandas==3.1.1\n")
    write_notebook(root, "04-law", ["from evidence import data, drawing", "drawing.bar(data.total('law/treaties'))"])
    write_notebook(root, "05-money", [
        "import sys\nfrom evidence.data import total, trace",
        "trace(claim='LEG-01')\nprint('out')\nprint('of', total('money/listings'))\nsys.stderr.write('late')",
    ])
    assert freshness.run(root) == 0
    return root


@pytest.fixture
def project(built, tmp_path) -> Path:
    """A copy of the small project that a test may spoil."""
    return Path(shutil.copytree(built, tmp_path / "project"))


def write_notebook(root: Path, name: str, cells: list[str]) -> None:
    """Write a notebook that was never run, with the metadata of another machine."""
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *map(new_code_cell, cells)])
    notebook.metadata = {"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere"}, "authors": [{"name": "A"}]}
    nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")


def reasons(root: Path) -> dict[str, list[str]]:
    """Return the stale notebooks with their reasons."""
    found = {path.stem: freshness.stale(root, path) for path in freshness.notebooks(root)}
    return {name: why for name, why in found.items() if why}


def replace(file: Path, old: str, new: str) -> None:
    """Change one place in a file."""
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


STALE = {
    "value": ("data/law/treaties.csv", "ZWE,3", "ZWE,4", "04-law",
              "table law/treaties changed (data/law/treaties.csv and its descriptor)"),
    "descriptor": ("data/money/listings.resource.json", "A table", "A better table", "05-money",
                   "table money/listings changed (data/money/listings.csv and its descriptor)"),
    "claim": ("data/claims.csv", "First", "Other", "05-money", "claim LEG-01 changed (data/claims.csv)"),
    "helper used by one": ("notebooks/evidence/drawing.py", '"#"', '"+"', "04-law",
                           "helper module drawing changed (notebooks/evidence/drawing.py)"),
    "helper of a helper": ("notebooks/evidence/words.py", '"!"', '"?"', "04-law",
                           "helper module words changed (notebooks/evidence/words.py)"),
    "broken helper": ("notebooks/evidence/words.py", "def loud", "def def loud", "04-law",
                      "helper module words changed (notebooks/evidence/words.py)"),
    "cell": ("notebooks/05-money.ipynb", "print('out')", "print('in')", "05-money", "code cell 2 changed"),
    "outputs": ("notebooks/04-law.ipynb", "#####!", "######!", "04-law",
                "its outputs were edited by hand or stored by another run"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_change_makes_the_one_notebook_stale_that_uses_it(project, case):
    file, old, new, notebook, reason = STALE[case]
    replace(project / file, old, new)
    assert reasons(project) == {notebook: [reason]}


def test_a_source_row_makes_every_notebook_stale_that_cites_it(project):
    replace(project / "data/sources.csv", "One", "Uno")
    assert reasons(project) == dict.fromkeys(["04-law", "05-money"], ["source src_a changed (data/sources.csv)"])


def test_other_pinned_packages_make_all_stale(project):
    replace(project / "requirements.lock.txt", "3.1.1", "3.1.2")
    assert reasons(project) == dict.fromkeys(
        ["04-law", "05-money"], ["the pinned packages changed (requirements.lock.txt)"])


def test_a_missing_table_and_a_missing_claim_are_said_to_be_missing(project):
    (project / "data/money/listings.csv").unlink()
    replace(project / "data/claims.csv", "LEG-01,First\n", "")
    assert reasons(project) == {"05-money": [
        "table money/listings is missing (data/money/listings.csv and its descriptor)",
        "claim LEG-01 is missing (data/claims.csv)",
    ]}


def test_a_damaged_notebook_is_named(project):
    replace(project / "notebooks/04-law.ipynb", '"nbformat": 4', '<<<<<<< ours')
    with pytest.raises(SystemExit, match=r"notebooks/04-law\.ipynb cannot be read as a notebook .*: restore it with git\."):
        reasons(project)


def test_an_added_cell_and_a_notebook_never_run(project):
    path = project / "notebooks/04-law.ipynb"
    content = json.loads(path.read_text())
    content["cells"].append(new_code_cell("1 + 1"))
    path.write_text(json.dumps(content))
    write_notebook(project, "05-money", ["1 + 1"])
    assert reasons(project) == {
        "04-law": ["it had 2 code cells when it was run and has 3"],
        "05-money": ["it has no fingerprint: it was never run by the build"],
    }


HARMLESS = {
    "comment": ("notebooks/evidence/data.py", "# one row a state", "# a row is a state"),
    "docstring": ("notebooks/evidence/drawing.py", '"""Draw a bar."""', '"""Draw one bar."""'),
    "module docstring": ("notebooks/evidence/words.py", '"""Words."""', '"""Words of the report."""'),
    "another source": ("data/sources.csv", "Two", "Dos"),
    "another claim": ("data/claims.csv", "Second", "Next"),
    "prose": ("notebooks/04-law.ipynb", "# Title", "# The law"),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_outputs_do_not_follow_from_makes_nothing_stale(project, case):
    replace(project / HARMLESS[case][0], *HARMLESS[case][1:])
    assert reasons(project) == {}


def test_another_python_is_a_note_and_no_failure(project, capsys):
    path = project / "notebooks/04-law.ipynb"
    mine = "{}.{}".format(*sys.version_info)
    replace(path, f'"python": "{mine}"', '"python": "3.99"')
    assert freshness.check(project) == 0
    assert capsys.readouterr().out == f"Note: outputs were stored under Python 3.99; this is Python {mine}.\n"


def test_check_names_notebook_and_reason(project, capsys):
    replace(project / "data/law/treaties.csv", "ZWE,3", "ZWE,4")
    assert freshness.main(["check"], project) == 1
    assert capsys.readouterr().out == (
        "notebooks/04-law.ipynb is stale: table law/treaties changed (data/law/treaties.csv and its descriptor)\n")


def test_the_tree_of_a_helper_hashes_alike_in_every_python():
    source = 'def f(a, *, b=1):\n    "Doc."\n    return f"{a:{b}}" "" f"{b!r:.2f}" u"x" ""\n'
    tree = freshness.canonical(freshness.ast.parse(source))
    assert freshness.digest(tree) == "e783639051fc6f44", "this is what Python 3.11, 3.12 and 3.13 gave"


def test_a_failing_cell_leaves_the_last_outputs_and_is_told_in_full(project, capsys):
    replace(project / "notebooks/05-money.ipynb", "print('out')", "total('no/table')")
    replace(project / "data/law/treaties.csv", "ZWE,3", "ZWE,4")
    before = (project / "notebooks/05-money.ipynb").read_bytes()
    assert freshness.main(["run"], project) == 1
    printed = capsys.readouterr().out
    assert (
        "notebooks/05-money.ipynb, code cell 2 failed:\n"
        "    trace(claim='LEG-01')\n"
        "    total('no/table')\n"
        "    print('of', total('money/listings'))\n"
        "    sys.stderr.write('late')\n"
        "FileNotFoundError: [Errno 2] No such file or directory: '../data/no/table.csv'\n"
        "The outputs of the last good run were left in place.\n"
    ) in printed
    assert "\x1b" not in printed
    assert (project / "notebooks/05-money.ipynb").read_bytes() == before
    assert reasons(project) == {"05-money": ["code cell 2 changed"]}, "the sound notebook was rerun and stored"


def test_a_dying_kernel_is_told(project, capsys):
    write_notebook(project, "05-money", ["1 + 1", "import os\nos._exit(1)"])
    assert freshness.run(project) == 1
    assert (
        "notebooks/05-money.ipynb, code cell 2 failed:\n    import os\n    os._exit(1)\n"
        "its kernel died, perhaps for want of memory\n"
    ) in capsys.readouterr().out


def test_a_rerun_gives_the_same_bytes_and_keeps_what_is_not_ours(project):
    path = project / "notebooks/05-money.ipynb"
    before = path.read_bytes()
    content = json.loads(before)
    del content["metadata"]["fingerprint"]
    content["metadata"]["kernelspec"]["name"] = "elsewhere"
    path.write_text(json.dumps(content))
    assert freshness.run(project) == 0
    assert path.read_bytes() == before
    assert content["metadata"]["authors"] == [{"name": "A"}]
    assert [cell["execution_count"] for cell in content["cells"][1:]] == [1, 2]


def test_interrupting_a_run_leaves_notebooks_whole_and_no_kernel_behind(project, tmp_path):
    write_notebook(project, "04-law", ["import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"])
    before = (project / "notebooks/04-law.ipynb").read_bytes()
    code = f"import pathlib, freshness; freshness.run(pathlib.Path({str(project)!r}))"
    env = os.environ | {"PYTHONPATH": str(Path(freshness.__file__).parent)}
    build = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's background jobs ignore interrupts, and so would the build
    pid = project / "notebooks/pid"
    wait_for(lambda: pid.exists() and pid.read_text())
    build.send_signal(signal.SIGINT)
    assert build.wait(timeout=20) != 0
    wait_for(lambda: not Path(f"/proc/{pid.read_text()}").exists())
    assert (project / "notebooks/04-law.ipynb").read_bytes() == before
    assert not list(project.rglob("*.new"))


def wait_for(condition, seconds: float = 20) -> None:
    """Wait until something is true, and fail when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
