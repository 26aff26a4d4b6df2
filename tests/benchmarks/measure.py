"""Measure what the report promises about time and weight, and print it beside the bound.

    make benchmarks

Times are the best of three, in seconds; run it on a machine that does nothing else.
"""
import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
CURE = "import sys; sys.modules['rfc3987_syntax'] = None; "


def seconds(command: list[str], times: int = 3, folder: Path = ROOT) -> float:
    """Return the best time of a command that must succeed."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return best


def imports() -> list[tuple]:
    """Time the import of Altair as JupyterLab's packages leave it and with the cure, and a cell's first import."""
    return [
        ("import altair, as installed", seconds([PYTHON, "-c", "import altair"]), None),
        ("import altair, cured", seconds([PYTHON, "-c", CURE + "import altair"]), 1.0),
        ("import of the helper package", seconds([PYTHON, "-c", "from evidence import data, figure"], folder=ROOT / "notebooks"), 3.0),
    ]


def notebooks() -> list[tuple]:
    """Time one run of each notebook in a kernel of its own, without storing anything."""
    code = (
        "import asyncio, sys, nbformat, execution; from pathlib import Path; path = Path(sys.argv[1]);"
        "env = execution.environment(Path(sys.argv[2], 'trace'));"
        "asyncio.run(execution.execute(path.parents[1], path, nbformat.read(path, 4), env))"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            command = [PYTHON, "-c", code, str(path), folder]
            rows.append((f"run {path.name}", seconds(command, times=1, folder=ROOT / "book" / "_tools"), 30.0))
    return rows


def builds() -> list[tuple]:
    """Time a build with nothing changed, then the HTML site made anew from stored outputs, then site and PDF."""
    build = [PYTHON, "book/_tools/build.py"]
    rows = []
    subprocess.run([*build, "report"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rows.append(("nothing changed: report", seconds([*build, "report"]), 1.5))
    (ROOT / "_build" / "pdf.stamp").unlink()
    rows.append(("PDF anew", seconds([*build, "report"], times=1), 60.0))
    (ROOT / "_build" / "html.stamp").unlink()
    (ROOT / "_build" / ".doctrees" / "frame.stamp").unlink()
    rows.append(("HTML site anew", seconds([*build, "report"], times=1), 40.0))
    return rows


def weights() -> list[tuple]:
    """Weigh the heaviest page (compressed as servers send it), the largest notebook and the PDF, in kB."""
    def heaviest(paths) -> tuple[float, str]:
        return max((len(gzip.compress(path.read_bytes())) / 1000, path.name) for path in paths)

    page, name = heaviest((ROOT / "_build" / "html").rglob("*.html"))
    notebook = max((ROOT / "notebooks").glob("*.ipynb"), key=lambda path: path.stat().st_size)
    return [
        (f"heaviest page, gzip kB ({name})", page, 250.0),
        (f"largest notebook, kB ({notebook.name})", notebook.stat().st_size / 1000, 1500.0),
        ("PDF, kB", (ROOT / "_build" / "report.pdf").stat().st_size / 1000, 10000.0),
    ]


def main() -> int:
    """Print every measure; return 1 when one is over its bound."""
    over = 0
    for measure in (imports, notebooks, builds, weights):
        for name, value, bound in measure():
            late = bound is not None and value > bound
            over += late
            print(f"{name:<48} {value:9.2f}" + (f"   bound {bound:g}" if bound else "") + ("   OVER" if late else ""), flush=True)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
