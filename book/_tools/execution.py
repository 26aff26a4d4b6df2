"""Run notebooks in fresh kernels of this environment and store their outputs with a fingerprint.

A notebook is written only after all its cells ran, in one step, so that a failure or an
interruption leaves the outputs of the last good run in place.
"""
import asyncio
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.modules.setdefault("rfc3987_syntax", None)  # 1.3 s of every start, for a check that nothing here uses

import nbformat  # noqa: E402
from freshness import code_cells, fingerprint, read_trace  # noqa: E402
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: E402
from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError, CellTimeoutError  # noqa: E402

CELL_SECONDS = 600
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
# Linear algebra on several threads adds numbers in another order each time.
ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")


class OwnKernel(KernelSpecManager):
    """Starts the Python that runs this build, whatever kernel a notebook names."""

    def get_kernel_spec(self, kernel_name):
        """Return how to start that kernel."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(argv=argv, language="python", name=kernel_name)


class Failure(Exception):
    """A notebook that could not be run to its end, told for people."""


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(root: Path, paths: list[Path]) -> int:
    """Run notebooks side by side, one a core, printing each as it ends; return how many failed."""
    loop = asyncio.new_event_loop()
    work = loop.create_task(_run_all(root, paths))
    with ThreadPoolExecutor(max_workers=1) as thread:
        # In the main thread nbclient would take Ctrl-C for one notebook and go on with the others.
        done = thread.submit(loop.run_until_complete, work)
        try:
            return done.result()
        except KeyboardInterrupt:
            loop.call_soon_threadsafe(work.cancel)
            raise


async def _run_all(root: Path, paths: list[Path]) -> int:
    turn = asyncio.Semaphore(cores())
    return sum(await asyncio.gather(*(_run_one(root, path, turn) for path in paths)))


async def _run_one(root: Path, path: Path, turn: asyncio.Semaphore) -> bool:
    """Run one notebook when its turn comes; return whether it failed."""
    async with turn:
        start = time.perf_counter()
        try:
            await run_notebook(root, path)
        except Failure as failure:
            print(f"\n{failure}\nThe outputs of the last good run were left in place.\n", flush=True)
            return True
        print(f"  {path.relative_to(root)}: rerun in {time.perf_counter() - start:.1f} s", flush=True)
        return False


async def run_notebook(root: Path, path: Path) -> None:
    """Run all cells of a notebook and store outputs and fingerprint in it; raises Failure at the first bad cell."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.jsonl")
        trace.touch()
        await execute(root, path, notebook, environment(trace))
        used = read_trace(trace)
    tidy(notebook)
    notebook.metadata["fingerprint"] = fingerprint(root, notebook, used)
    write(path, notebook)


def environment(trace: Path) -> dict[str, str]:
    """Return the environment of a kernel: one thread, no personal start-up files, a place for its trace."""
    return {**os.environ, **ONE_THREAD, "EVIDENCE_TRACE": str(trace), "IPYTHONDIR": str(trace.parent)}


async def execute(root: Path, path: Path, notebook: nbformat.NotebookNode, env: dict[str, str]) -> None:
    """Run all cells in memory, in a kernel with that environment; raises Failure at the first bad cell."""
    manager = AsyncKernelManager(kernel_spec_manager=OwnKernel())
    client = NotebookClient(
        notebook,
        km=manager,
        resources={"metadata": {"path": str(path.parent)}},
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        skip_cells_with_tag="",
    )
    reached = {}
    client.on_cell_start = lambda cell, cell_index: cell.cell_type == "code" and reached.update(cell=cell)
    try:
        await client.async_execute(env=env, cleanup_kc=True)
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
        raise Failure(explain(path.relative_to(root), notebook, reached.get("cell"), error)) from error


def explain(name: Path, notebook: nbformat.NotebookNode, cell: nbformat.NotebookNode | None, error: Exception) -> str:
    """Say which notebook and code cell failed, with its source and the error."""
    if cell is None:
        return f"{name}: no kernel started for it ({error})"
    number = next(n for n, each in enumerate(code_cells(notebook), start=1) if each is cell)
    if isinstance(error, CellExecutionError):
        reason = re.sub(r"\x1b\[[0-9;]*m", "", f"{error.ename}: {error.evalue}")
    elif isinstance(error, CellTimeoutError):
        reason = f"it took longer than {CELL_SECONDS} seconds"
    else:
        reason = "its kernel died, perhaps for want of memory"
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    return f"{name}, code cell {number} failed:\n{source}\n{reason}"


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Leave nothing in a notebook that a second run on another machine would write differently."""
    kept = {key: value for key, value in notebook.metadata.items() if key not in METADATA}
    notebook.metadata = nbformat.from_dict(kept | METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def write(path: Path, notebook: nbformat.NotebookNode) -> None:
    """Replace a notebook file in one step."""
    new = path.with_suffix(".ipynb.new")
    new.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    os.replace(new, path)
