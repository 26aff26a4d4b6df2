"""One page for every table of the data package, written before Sphinx reads the book.

The pages are generated: edit the table's descriptor in data/, not the page.
"""
from __future__ import annotations

import re
from collections import Counter
from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import drawing
import stored

PREVIEW_ROWS = 10
LONGEST_CELL = 90
REGISTERS = {"claims": "Every verdict card.", "sources": "Every source line, and the references."}
NEEDED = ("title", "question", "description", "unit_of_observation", "definition", "coverage", "processing", "grade",
          "terms", "schema")
GRADES = {
    "A": "official, or complete and reconciled with a published total",
    "B": "solid, with gaps that are stated",
    "C": "patchy or second-hand: it illustrates and does not prove",
}


def write_data_pages(root: Path) -> list[Path]:
    """Write book/tables/<theme>-<table>.md for every table; return the pages, touching only what changed."""
    folder = root / "book" / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {root / f"{stored.table_page(name)}.md": name for name in stored.resources(root)}
    for old in set(folder.glob("*.md")) - set(pages):
        old.unlink()
    for path, name in pages.items():
        text = page_text(root, name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return sorted(pages)


def page_text(root: Path, name: str) -> str:
    """The page of one table as MyST Markdown; ExtensionError when its descriptor lacks a part."""
    resource, rows = stored.resources(root)[name], stored.rows(root, name)
    missing = [key for key in NEEDED if key not in resource]
    if missing:
        raise ExtensionError(f"data/{name}.resource.json has no {', '.join(missing)}: add it and rewrite the package")
    blocks = [
        "---\norphan: true\n---", f"# {md(resource['title'])}", "[All tables](../data.md)", f"**{md(resource['question'])}**", md(resource["description"]),
        _downloads(name, len(rows)), "## What it holds", _facts(resource), _checks(resource),
        "## Columns", _dictionary(resource), f"## First rows of {len(rows):,}", _preview(resource, rows),
        "## Sources", _sources(root, resource, rows), "## Used in", _uses(root, name),
        "## How to cite", _cite(root, name, resource),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def md(text: object) -> str:
    """Plain text as Markdown that prints exactly that text."""
    return re.sub(r"([\\`*_\[\]<>{}|#$~&^!@])", r"\\\1", " ".join(str(text).split()))


def html_table(head: list[str], rows: list[list[str]], right: set[int] = frozenset()) -> str:
    """A table of cells that are HTML already, in its own scrolling box; `right` holds the columns set to the right.

    Written as HTML because Sphinx takes five times as long over cells of its own, and these pages hold most of the report's.
    """
    name = escape(", ".join(re.sub("<[^>]+>", "", cell) for cell in head), quote=True)
    top = "".join(_entry("th", cell, index in right, ' scope="col"') for index, cell in enumerate(head))
    body = "".join(f"<tr>{''.join(_entry('td', cell, index in right) for index, cell in enumerate(cells))}</tr>" for cells in rows)
    return (f'<div class="pst-scrollable-table-container" role="region" tabindex="0" aria-label="Table: {name}">'
            f'<table class="table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def _entry(tag: str, cell: str, right: bool, scope: str = "") -> str:
    words = re.sub("<[^>]+>", "", cell)
    classes = " ".join(["text-right"] * right + ["nowrap"] * (len(words) <= drawing.LONGEST_WHOLE and " " not in words))
    return f"<{tag}{scope}{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}>{cell}</{tag}>"


def html(text: object) -> str:
    """Plain text as HTML on one line."""
    return escape(" ".join(str(text).split()), quote=False)


def _downloads(name: str, count: int) -> str:
    return (f"{{site-file}}`CSV, {count:,} rows <data/{name}.csv>` · "
            f"{{site-file}}`descriptor <data/{name}.resource.json>` · "
            "{site-file}`all tables as one package <datapackage.zip>`")


def _facts(resource: dict) -> str:
    breaks = [f"{item['when']}: {item['what']}" for item in resource.get("breaks", [])]
    licences = [item.get("title") or item["name"] for item in resource.get("licenses", [])]
    grade = resource["grade"]
    facts = {
        "One row is": [resource["unit_of_observation"]], "Definition": [resource["definition"]],
        "Coverage": [resource["coverage"]], "Breaks in the series": breaks or ["None known."],
        "Caveats": resource.get("caveats") or ["None."], "Processing": [resource["processing"]],
        f"Grade {grade}": [f"{GRADES[grade][:1].upper()}{GRADES[grade][1:]}."],
        "Terms": [resource["terms"], *(f"Licence: {', '.join(licences)}." for _ in licences[:1])],
    }
    return "\n\n".join(_fact(term, texts) for term, texts in facts.items())


def _fact(term: str, texts: list[str]) -> str:
    return f"{md(term)}\n" + "\n".join(f": {md(text)}" for text in texts)


def _checks(resource: dict) -> str:
    totals = resource.get("totals", [])
    if not totals:
        return ""
    rows = [[html(item["what"]), f"{item['expect']:,}", _source_link(item["source_id"], item["source_id"])] for item in totals]
    return "## Totals checked at every build\n\n" + html_table(["What is compared", "Published", "Source"], rows, {1})


def _dictionary(resource: dict) -> str:
    fields = resource["schema"]["fields"]
    rows = [[_code(field["name"]), field["type"], html(field["unit"] if field["unit"] != "none" else ""), html(_meaning(field))] for field in fields]
    return html_table(["Column", "Type", "Unit", "Meaning"], rows)


def _meaning(field: dict) -> str:
    allowed = field.get("constraints", {}).get("enum", [])
    values = f" One of: {', '.join(map(str, allowed))}." if allowed else ""
    return f"{field.get('description', field['title'])}{values}"


def _preview(resource: dict, rows: list[dict[str, str]]) -> str:
    fields = [field for field in resource["schema"]["fields"] if any(row[field["name"]] for row in rows[:PREVIEW_ROWS])]
    right = {index for index, field in enumerate(fields) if field["type"] in ("integer", "number", "year")}
    cells = [[html(_short(row[field["name"]])) for field in fields] for row in rows[:PREVIEW_ROWS]]
    return html_table([_code(field["name"]) for field in fields], cells, right)


def _short(text: str) -> str:
    text = re.sub(r"\{[a-z_]+\}", "…", text)  # what a chapter computes and prints on the verdict card
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL - 1].rstrip() + "…"


def _code(name: str) -> str:
    return f'<code class="docutils literal notranslate">{name}</code>'


def _source_link(source: str, words: str) -> str:
    return f'<a class="reference internal" href="../references.html#source-{source}">{html(words)}</a>'


def _sources(root: Path, resource: dict, rows: list[dict[str, str]]) -> str:
    columns = stored.source_columns(resource)
    if not columns:
        return "This table is a register of the report itself: its rows name their own sources, or the tables that do."
    known = {row["source_id"]: row for row in stored.rows(root, "sources")}
    counts = Counter(row[column] for row in rows for column in columns if row[column])
    if not counts:
        return "No row names a source yet: what stands here was computed by the report."
    lines = [[_source_link(key, f"{known[key]['producer']}, {known[key]['title']}"), f"{count:,}"]
             for key, count in counts.most_common()]
    return html_table(["Source", "Rows"], lines, {1})


def _uses(root: Path, name: str) -> str:
    uses = [(docname, evidence) for docname, evidence in stored.figures(root)
            if any(table["name"] == name for table in evidence["tables"])]
    lines = [f"* {{numref}}`{item['id']}`, {md(item['title'])} ({{doc}}`/{docname}`)" for docname, item in uses]
    lines += [f"* text and verdicts of {{doc}}`/{docname}`" for docname, tables in stored.tables_read(root) if name in tables]
    return "\n".join(lines) or REGISTERS.get(name, "No chapter uses it yet.")


def _cite(root: Path, name: str, resource: dict) -> str:
    cited = stored.citation(root)
    year = str(cited["date-released"])[:4]
    return (f"{md(', '.join(stored.authors(cited)))} ({year}), “{md(resource['title'])}”, table `{name}` of *{md(cited['title'])}*, "
            f"version {md(cited['version'])}. Name the table's own sources too.")


def setup(app: Sphinx) -> dict:
    """Write the pages before Sphinx looks for them."""
    write_data_pages(Path(app.srcdir))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
