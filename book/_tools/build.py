"""Build the report step by step, doing nothing again that is still good.

    python book/_tools/build.py report   HTML site and PDF
    python book/_tools/build.py html     HTML site alone
    python book/_tools/build.py check    stored outputs, site, PDF, then every test

Run through make, which prepares the environment first.
"""
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import environment
import freshness

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"
SITE, SINGLE, DOCTREES, PDF = BUILD / "html", BUILD / "singlehtml", BUILD / ".doctrees", BUILD / "report.pdf"
DATA_PAGES = ROOT / "book" / "tables"
# JupyterLab brings rfc3987_syntax, which jsonschema would load: 1.3 s of every start, for a check that nothing here uses.
# Pages are trees of many nodes that live to the end: to look for garbage among them takes a third of the time.
JUPYTER_BOOK = "import gc, sys; gc.disable(); sys.modules['rfc3987_syntax'] = None; from jupyter_book.cli.main import main; main()"
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


class Failed(Exception):
    """A step that did not succeed, told for people."""


class NotPrinted(Failed):
    """The pages are good, the PDF is not."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print a step's name when it starts, and how long it took when it succeeded."""
    print(f"{name} ...", flush=True)
    start = time.perf_counter()
    yield
    print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)


def run(command: list[str], log: Path, **env: str) -> bool:
    """Run a command with its output in a log file; tell whether it succeeded."""
    log.parent.mkdir(exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=os.environ | env)
    return done.returncode == 0


# What outputs are made of, and the stamps that tell whether they still fit


def files(*folders: str) -> list[Path]:
    """Return the files under folders of the project in order, without what programs leave there."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return sorted(path for path in found if not LEFT_OUT & set(path.parts) and DATA_PAGES not in path.parents)


def contents(paths: list[Path]) -> list[list[str]]:
    """Return name and hash of each file."""
    return [[str(path.relative_to(ROOT)), freshness.digest(path.read_bytes())] for path in paths]


def book_files() -> list[Path]:
    """Return every file that the site and the PDF are made of."""
    top = [path for path in ROOT.iterdir() if path.suffix in {".yml", ".cff", ".md", ".txt"} or path.stem == "LICENSE"]
    return files("book", "data", "notebooks") + sorted(top)


def book_key(linked: bool) -> str:
    """Return a hash of all that the site is made of; `linked` says whether it links to the PDF."""
    return freshness.digest([contents(book_files()), linked])


def frame_key(linked: bool) -> str:
    """Return a hash of what shows on every page or draws every page: when it changes, all pages are made anew."""
    paths = book_files()
    drawing = [path for path in paths if path.suffix in {".py", ".yml", ".txt", ".css", ".js", ".svg", ".cff"}]
    shared = rb'^\s*"?(#+ .*)|"id": "((?:fig|tbl)-[^"]*)"'  # headings, and figures and tables in their order, which gives their numbers
    named = [re.findall(shared, path.read_bytes(), re.M) for path in paths if path.suffix in {".md", ".ipynb"}]
    return freshness.digest([contents(drawing), [str(path) for path in paths], repr(named), linked])


def fits(stamp: Path, key: str, output: Path) -> bool:
    """Tell whether an output exists and its stamp says that it was made from what is there now."""
    return output.exists() and stamp.exists() and stamp.read_text() == key


@contextmanager
def stamped(stamp: Path, key: str) -> Iterator[None]:
    """Write a stamp when what follows succeeds; leave none when it fails half-way."""
    stamp.unlink(missing_ok=True)
    yield
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)


# The steps


def data_package() -> None:
    """Check every table against its descriptor, unless nothing changed since the last good check."""
    tool, stamp = ROOT / "book" / "_tools" / "datapackage.py", BUILD / "data.stamp"
    key = freshness.digest(contents([*files("data"), tool, ROOT / "CITATION.cff"]))
    if fits(stamp, key, tool):
        return print("Data package: unchanged")
    log = BUILD / "data.log"
    with step("Data package"), stamped(stamp, key):
        if not run([sys.executable, str(tool), "--check"], log):
            raise Failed(f"The data package is not in order:\n{log.read_text(encoding='utf-8').strip()}")


def rerun_notebooks() -> None:
    """Rerun the notebooks whose stored outputs are stale."""
    if not any(freshness.stale(ROOT, path) for path in freshness.notebooks(ROOT)):
        return print("Notebooks: stored outputs are up to date")
    with step("Notebooks"):
        if failed := freshness.run(ROOT):
            raise Failed(f"{failed} notebook{'s' * (failed > 1)} failed: see above.")


def sources() -> None:
    """Check the tables and the table of contents, and rerun the notebooks whose stored outputs are stale."""
    data_package()
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    if absent := [path.stem for path in freshness.notebooks(ROOT) if f"notebooks/{path.stem}" not in contents]:
        raise Failed(f"notebooks/{absent[0]}.ipynb is not in _toc.yml: add the line `- file: notebooks/{absent[0]}` under Chapters.")
    rerun_notebooks()


def site(linked: bool) -> None:
    """Build the HTML site with warnings as errors; `linked` puts the link to the PDF on its front page."""
    stamp, key = BUILD / "html.stamp", book_key(linked)
    if fits(stamp, key, SITE / "index.html"):
        return print("HTML site: unchanged")
    with step("HTML site"), stamped(stamp, key):
        jupyter_book("html", linked)
        if not linked:
            (SITE / "report.pdf").unlink(missing_ok=True)


def jupyter_book(builder: str, linked: bool) -> None:
    """Run one builder of Jupyter Book; pages are reused only from a good build of the same frame."""
    frame, key, log = DOCTREES / "frame.stamp", frame_key(linked), BUILD / f"{builder}.log"
    if not fits(frame, key, DOCTREES):
        for folder in (SITE, SINGLE, DOCTREES):
            shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", ".", "-W", "-n", "--keep-going"]
    with stamped(frame, key):
        if not run([*command, "--builder", builder], log, REPORT_PDF=str(int(linked)), NO_COLOR="1"):
            raise Failed(complaints(log))


def complaints(log: Path) -> str:
    """Return the warnings and errors of a build with file and line, or else the log's last lines."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(encoding="utf-8")).replace(f"{ROOT}/", "")
    lines = text.splitlines()
    found = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL|SEVERE):", line)]
    listed = "\n".join(f"  {line}" for line in dict.fromkeys(found or lines[-15:]))
    return f"The book has faults (all of the build's words: {log.relative_to(ROOT)}):\n{listed}"


@contextmanager
def printing() -> Iterator[None]:
    """Print the book into one PDF while the site is built, which links to it, and put a copy there."""
    stamp, key = BUILD / "pdf.stamp", book_key(linked=True)
    if fits(stamp, key, PDF):
        print("PDF: unchanged")
        yield
    else:
        with stamped(stamp, key), ThreadPoolExecutor(1) as aside:
            with step("Single page"):
                jupyter_book("singlehtml", linked=True)
            printed = aside.submit(print_pdf)
            yield
            printed.result()
    shutil.copyfile(PDF, SITE / "report.pdf")


def print_pdf() -> None:
    """Turn the single page into the PDF file."""
    log = BUILD / "pdf.log"
    with step("PDF"):
        if not run([sys.executable, "book/_tools/pdf.py", str(SINGLE), str(PDF)], log):
            raise NotPrinted(complaints(log))


# The commands


def html() -> int:
    """Build the HTML site alone."""
    sources()
    site(linked=False)
    print(f"Ready: open {(SITE / 'index.html').relative_to(ROOT)} in a browser")
    return 0


def report() -> int:
    """Build the HTML site and the PDF; without Pango, the site alone and a word on how to get it."""
    if not environment.provide_pango():
        html()
        print(environment.PANGO_HELP, file=sys.stderr)
        return 1
    sources()
    try:
        with printing():
            site(linked=True)
    except NotPrinted:
        PDF.unlink(missing_ok=True)
        site(linked=False)
        raise
    print(f"Ready: open {(SITE / 'index.html').relative_to(ROOT)} in a browser; the PDF is {PDF.relative_to(ROOT)}")
    return 0


def check() -> int:
    """Prove that stored outputs are what the code gives, build what is missing, run every test."""
    with step("Stored outputs"):
        if freshness.check(ROOT):
            raise Failed("Stored outputs are stale: run `make report`, look at what changed, commit the notebooks.")
    report() if environment.provide_pango() else html()
    from execution import ONE_THREAD, cores

    paths = [str(path.relative_to(ROOT)) for path in freshness.notebooks(ROOT)]
    options = ["-q", "-n", str(cores()), "--dist", "loadfile", "--nbval", "--nbval-current-env"]
    with step("Tests"):
        command = [sys.executable, "-m", "pytest", *options, "tests", *paths]
        if subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD).returncode:
            raise Failed("Some tests failed: see above.")
    print("All tests passed: stored outputs are what the code gives, and site and PDF hold together.")
    return 0


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    commands = {"report": report, "html": html, "check": check}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"Say which: python book/_tools/build.py {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]]()
    except Failed as failure:
        print(failure, file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped: all files are whole, and the next run takes up from here.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
