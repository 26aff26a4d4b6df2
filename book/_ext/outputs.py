"""The four kinds of notebook output, as builder-neutral nodes: HTML and the single page for print share them."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer, load_mime_renders
from sphinx.application import Sphinx

import drawing
import stored
from site_links import file_link, reference

ALT_AT_LEAST = 40
WORDY, WORDY_HEAD = 45, 30  # letters of a cell, and of a row's head where there are two columns, from which a table is told row by row on a phone
OUTCOMES = {"meets": "meets the test", "partly": "meets part of the test", "fails": "does not meet the test",
            "untested": "not measured"}


class EvidenceOutputs:
    """The myst-nb plugin: our output kinds come before their fallbacks for other viewers."""

    mime_priority_overrides = [("*", mime, 1) for mime in (
        stored.CHART, stored.TABLE, stored.VERDICT, stored.FINDING)]

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Nodes for one of our outputs; None leaves the output to myst-nb."""
        make = MAKERS.get(data.mime_type)
        return None if make is None or inline else make(Page(renderer, data), data.content)


class Page:
    """The page being read: where outputs register their ids, warnings and dependencies."""

    def __init__(self, renderer: NbElementRenderer, data: MimeData) -> None:
        self.renderer, self.data = renderer, data
        self.document = renderer.renderer.document
        self.env = renderer.renderer.sphinx_env
        self.root = Path(self.env.srcdir)

    def warn(self, message: str) -> None:
        """A warning at this cell; with -W it fails the build."""
        self.renderer.logger.warning(message, subtype="evidence", line=self.data.line)

    def link(self, kind: str, target: str, text: str = "") -> nodes.Element:
        """A cross reference from this page."""
        return reference(kind, target, text, self.env.docname)

    def target(self, node: nodes.Element, name: str) -> nodes.Element:
        """Make `node` the target `name` of cross references from any page."""
        node["ids"] = [name]
        node["names"].append(nodes.fully_normalize_name(name))
        self.document.note_explicit_target(node, node)
        return node

    def label(self, node: nodes.Element, name: str) -> nodes.Element:
        """Make `node`, which has no number, the target of {ref}`name` and [words](#name)."""
        node["ids"] = [name, name.lower()] if name != name.lower() else [name]
        self.env.get_domain("std").note_hyperlink_target(name.lower(), self.env.docname, name, name)
        return node

    def resource(self, name: str) -> dict | None:
        """The descriptor of a table, with a warning when the data package has none."""
        self.env.note_dependency(str(stored.package_path(self.root)))
        found = stored.resources(self.root).get(name)
        if found is None:
            self.warn(f"table {name} is not in data/datapackage.json: correct the name or rewrite the package")
        return found


def _paragraph(*parts: nodes.Node | str, classes: tuple[str, ...] = ()) -> nodes.paragraph:
    node = nodes.paragraph(classes=list(classes))
    node += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return node


def _joined(links: list[nodes.Node], between: str) -> list[nodes.Node]:
    parts = [part for link in links for part in (nodes.Text(between), link)]
    return parts[1:]


def _heading(node: nodes.Element, title: str, subtitle: str) -> nodes.Element:
    node += nodes.inline(title, title, classes=["finding-title"])
    if subtitle:
        node += nodes.inline(subtitle, subtitle, classes=["subtitle"])
    return node


def furniture(page: Page, evidence: dict) -> nodes.container:
    """What stands under a figure or table: source, note, and the way to the data."""
    sources = [page.link("ref", f"source-{item['id']}".lower(), item["label"]) for item in evidence["sources"]]
    rest = [" and ", page.link("doc", f"/{stored.table_page(evidence['tables'][0]['name'])}", f"{evidence['more_sources']} more")] if evidence["more_sources"] else []
    box = nodes.container(classes=["furniture"])
    box += _paragraph(nodes.strong("", "Source: "), *_joined(sources, "; "), *rest, ".")
    if evidence.get("note"):
        box += _paragraph(nodes.strong("", "Note: "), evidence["note"])
    data = [part for table in evidence["tables"] if (resource := page.resource(table["name"]))
            for part in ("; ", page.link("doc", f"/{stored.table_page(table['name'])}", f"{resource['title']} ({table['rows']:,} rows)"),
                         " · ", file_link(f"data/{table['name']}.csv", "CSV"))]
    box += _paragraph(nodes.strong("", "Data: "), *data[1:], classes=("data-link",))
    return box


def chart(page: Page, spec: dict) -> list[nodes.Element]:
    """A numbered figure; a chart without its furniture or its alternative text is a warning."""
    evidence = spec.get("usermeta", {}).get("evidence")
    if not evidence:
        page.warn("a chart without usermeta.evidence: publish it with the helper that adds source, note and alt text")
        return []
    alt = evidence.get("alt") or ""
    if len(alt) < ALT_AT_LEAST:
        page.warn(f"{evidence['id']}: alternative text of {len(alt)} characters, at least {ALT_AT_LEAST} are needed")
    figure = page.target(drawing.evidence_figure(classes=["evidence"]), evidence["id"])
    figure += _heading(drawing.figure_heading(), evidence["title"], evidence.get("subtitle", ""))
    figure += drawing.chart(spec=json.dumps(spec), alt=alt, figure=evidence["id"],
                            narrow=evidence.get("narrow") or {}, picker=evidence.get("picker"))
    figure += furniture(page, evidence)
    return [figure]


def table(page: Page, content: dict) -> list[nodes.Element]:
    """A captioned, numbered table with its furniture."""
    columns = content["columns"]
    node = page.target(grid([column["title"] for column in columns], _headed(content["rows"]),
                            [column.get("align", "left") for column in columns], page.env.docname), content["id"])
    node.insert(0, _heading(nodes.title(), content["title"], content.get("subtitle", "")))
    longest, head = (max(len(str(cell)) for row in content["rows"] for cell in row[:end]) for end in (None, 1))
    if longest > WORDY and (len(columns) > 2 or head > WORDY_HEAD):
        node["classes"].append("wordy")
    return [nodes.container("", node, furniture(page, content), classes=["evidence", "evidence-table"])]


def _headed(rows: list[list]) -> list[list]:
    """Rows in which an empty head repeats the one above: a phone and a screen reader get it in every row, a wide page shows it once."""
    made, head = [], ""
    for first, *rest in rows:
        repeated = first == "" and head
        made.append([nodes.inline(head, head, classes=["again"]) if repeated else first, *rest])
        head = head if repeated else str(first)
    return made


def grid(titles: list[str], rows: list[list], aligns: list[str], docname: str) -> nodes.table:
    """A docutils table; the first column heads its rows. Cells are text, nodes or {"text", "ref"}."""
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=1, stub=int(index == 0)) for index in range(len(titles))]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(titles, aligns, docname)
    body += [_row(row, aligns, docname) for row in rows]
    group += [head, body]
    return nodes.table("", group)


def _row(cells: list, aligns: list[str], docname: str) -> nodes.row:
    row = nodes.row()
    for cell, align in zip(cells, aligns, strict=True):
        row += nodes.entry("", _paragraph(_cell(cell, docname)), classes=[f"text-{align}"])
    return row


def _cell(cell: object, docname: str) -> nodes.Node:
    if isinstance(cell, nodes.Node):
        return cell
    if isinstance(cell, dict) and cell.get("ref"):
        return reference("ref", cell["ref"].lower(), cell["text"], docname)
    return nodes.Text(cell["text"] if isinstance(cell, dict) else str(cell))


def verdict_chip(verdict: str) -> nodes.inline:
    """The verdict as symbol and word; the style sheet draws the symbol."""
    kind = verdict.lower().replace(" ", "-")
    chip = nodes.inline(classes=["verdict-chip", f"verdict-{kind}"])
    chip += [nodes.inline(classes=["verdict-symbol"]), nodes.inline(verdict, verdict)]
    return chip


def verdict(page: Page, content: dict) -> list[nodes.Element]:
    """The verdict card of one claim."""
    card = page.label(drawing.verdict_card(classes=["verdict-card"]), content["id"])
    heading = drawing.card_heading()
    heading += [nodes.inline("", content["id"], classes=["claim-id"]), nodes.Text(f" {content['claim']}")]
    line = [verdict_chip(content["verdict"])]
    if content.get("confidence"):
        line += [nodes.inline("", f"Confidence: {content['confidence'].lower()}", classes=["confidence"])]
    line += [nodes.inline("", f"Claim of {_article(content['claim_kind'])}", classes=["claim-kind"])]
    card += [heading, _paragraph(*line, classes=("verdict-line",)), _card_list(page, content)]
    return [card]


def _article(kind: str) -> str:
    return {"effect": "an effect", "interpretation": "an interpretation", "causal": "a cause",
            "normative": "a norm"}.get(kind, f"a {kind}")


def _card_list(page: Page, content: dict) -> nodes.definition_list:
    values = "; ".join(f"{value['label']}: {value['text']}" for value in content.get("values", []))
    figures = _joined([page.link("numref", name.lower()) for name in content.get("figures", [])], ", ")
    entries = {
        "What holds": content.get("narrowed"),
        "Test": content.get("test"),
        "Result": _sentence(" – ".join(filter(None, (values, _outcome(content))))),
        "If the threshold moved": content.get("sensitivity"),
        ("Confidence" if content.get("confidence") else "Limits"): _confidence(content),
        ("Against it" if content.get("confidence") else "What there is"): content.get("counter_evidence"),
        "What would settle it": content.get("would_settle"),
        "Looked for": content.get("looked_for"),
        "See": figures,
    }
    items = nodes.definition_list()
    for term, value in entries.items():
        if value:
            parts = [value] if isinstance(value, str) else value
            items += nodes.definition_list_item(
                "", nodes.term("", term), nodes.definition("", _paragraph(*parts)))
    return items


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _outcome(content: dict) -> str:
    words = OUTCOMES[content["outcome"]]
    if content["verdict"] == "Not shown" and content["outcome"] == "partly":
        words += ", which is too weak to decide the claim"
    return f"{words} ({content['threshold']})" if content.get("threshold") else words


def _confidence(content: dict) -> str:
    flags = "; ".join(content.get("flags", []))
    if not content.get("confidence"):
        return _sentence(flags) if flags else ""
    now, start = content["confidence"], content["confidence_start"]
    if not flags:
        return f"{now}: no flag lowers it."
    return f"{now}, lowered from {start.lower()}: {flags}."


def finding(page: Page, content: dict) -> list[nodes.Element]:
    """The lead of a chapter: one finding in computed words."""
    words = page.renderer.render_markdown(MimeData("text/markdown", content["text"], line=page.data.line))
    return [page.label(nodes.container("", *words, classes=["finding"]), content["id"])]


MAKERS: dict[str, Callable[[Page, dict], list[nodes.Element]]] = {
    stored.CHART: chart, stored.TABLE: table, stored.VERDICT: verdict, stored.FINDING: finding}


def setup(app: Sphinx) -> dict:
    """Add the plugin to those that myst-nb found: it looks for installed packages only."""
    if EvidenceOutputs not in load_mime_renders():
        load_mime_renders().append(EvidenceOutputs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
