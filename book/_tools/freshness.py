"""Know which notebooks are stale: whose stored outputs no longer follow from what they were made of.

Each notebook carries in its metadata a fingerprint of its code cells, of the helper modules it
imports, of the tables with their descriptors and the source and claim rows it used, of the lock
file, of the Python version and of its outputs.

    python book/_tools/freshness.py check    name the stale notebooks; exit 1 when there are any
    python book/_tools/freshness.py run      rerun the stale notebooks and nothing else
"""
import ast
import csv
import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "evidence"
REGISTRIES = {"source": "source_id", "claim": "claim_id"}  # the key column of data/sources.csv, data/claims.csv


def digest(value: object) -> str:
    """Return a short hash of bytes, or of anything that JSON can hold."""
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(value).hexdigest()[:16]


def notebooks(root: Path) -> list[Path]:
    """Return the report's notebooks in order."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def read(path: Path) -> dict:
    """Return a notebook file's content; ends the program in plain words when it is not a notebook."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SystemExit(f"notebooks/{path.name} cannot be read as a notebook ({error}): restore it with git.")


def code_cells(notebook: dict) -> list[dict]:
    """Return the code cells that hold something."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and _text(cell["source"]).strip()]


def _text(value: str | list[str]) -> str:
    return "".join(value)


# The helper package


def canonical(node: object) -> object:
    """Return a syntax tree as plain lists, without docstrings, alike in every Python version from 3.11 on."""
    if isinstance(node, list):
        return [canonical(item) for item in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if _has_docstring(node):
        fields["body"] = node.body[1:]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 alone keeps empty pieces of a format string
        fields["values"] = [piece for piece in node.values if getattr(piece, "value", None) != ""]
    kept = {name: value for name, value in fields.items() if value not in (None, []) and name not in ("ctx", "kind")}
    return [type(node).__name__, {name: canonical(value) for name, value in kept.items()}]


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def helpers(root: Path, cells: list[str]) -> dict[str, str]:
    """Return the hash of each helper module that the cells import, directly or through one another."""
    folder = root / "notebooks" / PACKAGE
    found: dict[str, str] = {}
    wanted = {name for source in cells for name in _imports(_parse(source), top="", folder=folder)}
    while wanted:
        module = wanted.pop()
        tree = _parse((folder / f"{module}.py").read_text(encoding="utf-8"))
        found[module] = digest(canonical(tree))
        wanted |= _imports(tree, top=PACKAGE, folder=folder) - found.keys()
    return dict(sorted(found.items()))


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:  # the notebook is stale then, and its run says where the error is
        return ast.Module(body=[], type_ignores=[])


def _imports(tree: ast.Module, top: str, folder: Path) -> set[str]:
    """Return the modules of the package that a tree imports; `top` is the package for relative imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, [top if node.level else "", node.module]))
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    ours = [name.split(".") for name in names if name.split(".")[0] == PACKAGE]
    modules = {part for parts in ours for part in ["__init__", *parts[1:2]]}
    return {module for module in modules if (folder / f"{module}.py").exists()}


# The fingerprint


def fingerprint(root: Path, notebook: dict, used: dict[str, list[str]]) -> dict:
    """Return what the outputs of a notebook follow from; `used` lists its tables, sources and claims."""
    cells = code_cells(notebook)
    sources = [_text(cell["source"]) for cell in cells]
    return {
        "code": [digest(source.encode()) for source in sources],
        "helpers": helpers(root, sources),
        "tables": {name: _table(root, name) for name in used["table"]},
        "sources": _rows(root, "source", used["source"]),
        "claims": _rows(root, "claim", used["claim"]),
        "lock": digest((root / "requirements.lock.txt").read_bytes()),
        "python": "{}.{}".format(*sys.version_info),
        "outputs": digest([_plain(output) for cell in cells for output in cell["outputs"]]),
    }


def read_trace(trace: Path) -> dict[str, list[str]]:
    """Return the tables, sources and claims that a run noted in its trace file."""
    used: dict[str, set[str]] = {"table": set(), "source": set(), "claim": set()}
    for line in trace.read_text(encoding="utf-8").splitlines():
        for kind, name in json.loads(line).items():
            used[kind].add(name)
    return {kind: sorted(names) for kind, names in used.items()}


def _table(root: Path, name: str) -> str:
    files = [root / "data" / f"{name}{ending}" for ending in (".csv", ".resource.json")]
    if not all(file.exists() for file in files):
        return "missing"
    return digest([digest(file.read_bytes()) for file in files])


def _rows(root: Path, kind: str, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    with open(root / "data" / f"{kind}s.csv", encoding="utf-8", newline="") as file:
        rows = {row[REGISTRIES[kind]]: digest(row) for row in csv.DictReader(file)}
    return {name: rows.get(name, "missing") for name in ids}


def _plain(output: dict) -> dict:
    """Return an output with the line lists of the notebook format joined."""
    joined = {key: _text(value) if key == "text" else value for key, value in output.items()}
    if "data" in output:
        lines = {mime: value for mime, value in output["data"].items() if not mime.endswith("json")}
        joined["data"] = output["data"] | {mime: _text(value) for mime, value in lines.items()}
    return joined


# Stale or not


def stale(root: Path, notebook: Path) -> list[str]:
    """Return in plain words why a notebook's stored outputs are out of date; nothing when they are not."""
    content = read(notebook)
    stored = content["metadata"].get("fingerprint")
    if stored is None:
        return ["it has no fingerprint: it was never run by the build"]
    used = {"table": stored["tables"], "source": stored["sources"], "claim": stored["claims"]}
    now = fingerprint(root, content, {kind: list(names) for kind, names in used.items()})
    reasons = _changed_cells(stored["code"], now["code"])
    reasons += _changed(stored["helpers"], now["helpers"], "helper module {0}", f"notebooks/{PACKAGE}/{{0}}.py")
    reasons += _changed(stored["tables"], now["tables"], "table {0}", "data/{0}.csv and its descriptor")
    reasons += _changed(stored["sources"], now["sources"], "source {0}", "data/sources.csv")
    reasons += _changed(stored["claims"], now["claims"], "claim {0}", "data/claims.csv")
    if stored["lock"] != now["lock"]:
        reasons.append("the pinned packages changed (requirements.lock.txt)")
    if stored["outputs"] != now["outputs"]:
        reasons.append("its outputs were edited by hand or stored by another run")
    return reasons


def _changed_cells(before: list[str], now: list[str]) -> list[str]:
    if len(before) != len(now):
        return [f"it had {len(before)} code cells when it was run and has {len(now)}"]
    pairs = enumerate(zip(before, now), start=1)
    return [f"code cell {number} changed" for number, (old, new) in pairs if old != new]


def _changed(before: dict, now: dict, what: str, where: str) -> list[str]:
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            fate = "is missing" if now.get(name) == "missing" else "changed"
            reasons.append(f"{what} {fate} ({where})".format(name))
    return reasons


def other_python(root: Path) -> str:
    """Return a note when outputs were stored under another Python version, which alone makes none stale."""
    stored = {read(path)["metadata"].get("fingerprint", {}).get("python") for path in notebooks(root)}
    mine = "{}.{}".format(*sys.version_info)
    others = ", ".join(sorted(stored - {mine, None}))
    return f"Note: outputs were stored under Python {others}; this is Python {mine}." if others else ""


def check(root: Path) -> int:
    """Print every stale notebook with the reasons; return how many there are."""
    found = {path.relative_to(root): stale(root, path) for path in notebooks(root)}
    if note := other_python(root):
        print(note)
    for path, reasons in found.items():
        for reason in reasons:
            print(f"{path} is stale: {reason}")
    return sum(bool(reasons) for reasons in found.values())


def run(root: Path) -> int:
    """Rerun the stale notebooks side by side; return how many failed."""
    outdated = {path: reasons for path in notebooks(root) if (reasons := stale(root, path))}
    for path, reasons in outdated.items():
        print(f"  {path.relative_to(root)}: {reasons[0]}" + (f" (and {len(reasons) - 1} more)" if reasons[1:] else ""))
    if not outdated:
        return 0
    from execution import run_all  # slow to import, and needed only here

    return run_all(root, list(outdated))


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run the command line; return the exit code."""
    commands = {"check": check, "run": run}
    if len(arguments) != 1 or arguments[0] not in commands:
        print("Say which: python book/_tools/freshness.py check|run", file=sys.stderr)
        return 2
    return 1 if commands[arguments[0]](root) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
