"""How figures, tables and verdict cards are written: HTML for the site, plain images for the page that is printed."""
from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from html import escape
from multiprocessing import get_context
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import vegalite

BUNDLE = "vega-bundle.js"
LONGEST_WHOLE = 14


class evidence_figure(nodes.figure):
    """A numbered figure whose heading stands above the drawing."""


class figure_heading(nodes.Part, nodes.TextElement):
    """Number, title and subtitle of a figure."""


class chart(nodes.General, nodes.Element):
    """One Vega-Lite drawing: `spec` (JSON), `alt`, `figure`, `narrow` (patch for phones), `picker`."""


class verdict_card(nodes.General, nodes.Element):
    """One judged claim."""


class card_heading(nodes.Part, nodes.TextElement):
    """The heading of a card: not a section, so that it stays out of the contents."""


def heading_text(figure: evidence_figure) -> str:
    """The title of a figure, by which Sphinx knows it."""
    return figure[0][0].astext()


def _cache(app: Sphinx) -> Path:
    return Path(app.outdir).parent / ".vega-cache"


def _visit_figure(self: HTML5Translator, node: evidence_figure) -> None:
    self.body.append(self.starttag(node, "figure"))


def _depart_figure(self: HTML5Translator, node: evidence_figure) -> None:
    self.body.append("</figure>\n")


def _visit_heading(self: HTML5Translator, node: figure_heading) -> None:
    self.body.append("<figcaption>")
    self.add_fignumber(node.parent)


def _depart_heading(self: HTML5Translator, node: figure_heading) -> None:
    self.add_permalink_ref(node.parent, "Link to this figure")
    self.body.append("</figcaption>\n")


def _visit_chart(self: HTML5Translator, node: chart) -> None:
    write = _print_chart if self.builder.name == "singlehtml" else _page_chart
    self.body.append(write(self.builder.app, node))
    raise nodes.SkipNode


def _print_chart(app: Sphinx, node: chart) -> str:
    spec = vegalite.plain(json.loads(node["spec"]), node["picker"])
    images = Path(app.outdir) / app.builder.imagedir
    name, width, height = vegalite.print_image(spec, _cache(app), images)
    return (f'<img class="chart" src="{app.builder.imagedir}/{name}" alt="{escape(node["alt"], quote=True)}" '
            f'style="width:{width:.2f}mm;height:{height:.2f}mm">\n')


def _page_chart(app: Sphinx, node: chart) -> str:
    spec, patch = _page_specs(node)
    wide, narrow = _page_texts(spec, patch)
    views = _static_view(app, node, "wide", wide) + _static_view(app, node, "narrow", narrow)
    data = f'{{"spec":{wide},"narrow":{vegalite.page_json(patch)}}}'.replace("</", "<\\/")
    return (f'<div class="chart" data-alt="{escape(node["alt"], quote=True)}">{_picker(node)}{views}'
            f'<script type="application/json">{data}</script></div>\n')


def _page_specs(node: chart) -> tuple[dict, dict]:
    spec = vegalite.plain(json.loads(node["spec"]), node["picker"])
    return spec, vegalite.phone_patch(spec, node["narrow"])


def _page_texts(spec: dict, patch: dict) -> list[str]:
    return [vegalite.page_json(spec), vegalite.page_json(vegalite.patched(spec, patch))]


def _start_pool(app: Sphinx) -> None:
    """Processes that draw while Sphinx reads and writes; started only when a page with charts was read."""
    app.drawers = ProcessPoolExecutor(mp_context=get_context("spawn"))


def _draw_ahead(app: Sphinx, doctree: nodes.document) -> None:
    for node in doctree.findall(chart):
        spec, patch = _page_specs(node)
        paper = [vegalite.print_json(spec)] if app.config.report_pdf else []
        vegalite.draw_ahead([*_page_texts(spec, patch), *paper], _cache(app), app.drawers)


def _stop_pool(app: Sphinx, _error: Exception | None) -> None:
    app.drawers.shutdown()


def _static_view(app: Sphinx, node: chart, size: str, text: str) -> str:
    drawing = vegalite.svg(text, _cache(app))
    inline = vegalite.inline_svg(drawing, f"{node['figure']}-{size}", node["alt"])
    return f'<div class="chart-view chart-{size}">{inline}</div>'


def _picker(node: chart) -> str:
    """A native menu, shown by the loader script: without scripts it could do nothing."""
    picker = node["picker"]
    if not picker:
        return ""
    name = f"{node['figure']}-picker"
    options = "".join(
        f'<option value="{escape(str(value), quote=True)}"{" selected" if value == picker["value"] else ""}>'
        f"{escape(label)}</option>" for value, label in picker["options"])
    return (f'<p class="chart-picker" hidden><label for="{name}">{escape(picker["label"])}</label> '
            f'<select id="{name}" data-param="{escape(picker["param"], quote=True)}">{options}</select></p>')


def _visit_card(self: HTML5Translator, node: verdict_card) -> None:
    label = f"{node['ids'][0]}-claim"
    self.body.append(self.starttag(node, "section", **{"aria-labelledby": label}))


def _depart_card(self: HTML5Translator, node: verdict_card) -> None:
    self.body.append("</section>\n")


def _visit_card_heading(self: HTML5Translator, node: card_heading) -> None:
    self.body.append(f'<h{_level(self)} class="card-heading" id="{node.parent["ids"][0]}-claim">')


def _depart_card_heading(self: HTML5Translator, node: card_heading) -> None:
    self.add_permalink_ref(node.parent, "Link to this claim")
    self.body.append(f"</h{_level(self)}>\n")


def _level(self: HTML5Translator) -> int:
    return min(self.section_level + 1, 6)


def _visit_table(self: HTML5Translator, node: nodes.table) -> None:
    """Every table scrolls in its own box, which a keyboard can reach."""
    type(self).visit_table(self, node)
    titles = [title[0].astext() for title in node.findall(nodes.title)]
    columns = [entry.astext() for head in node.findall(nodes.thead) for entry in head.findall(nodes.entry)]
    name = f"Table: {', '.join(titles or columns)}"
    box = (f'<div class="pst-scrollable-table-container" role="region" tabindex="0" '
           f'aria-label="{escape(name, quote=True)}">')
    self.body[-2:] = [box, self.body[-1]]


def _visit_entry(self: HTML5Translator, node: nodes.entry) -> None:
    """Header cells say whether they head a column or a row; a date or an id stays on one line; a wordy table repeats its headings for a phone."""
    words = node.astext()
    if len(words) <= LONGEST_WHOLE and " " not in words:
        node["classes"] = [*node["classes"], "nowrap"]
    type(self).visit_entry(self, node)
    scope = "col" if isinstance(node.parent.parent, nodes.thead) else "row"
    self.body[-1] = self.body[-1].replace("<th", f'<th scope="{scope}"', 1)
    group = node.parent.parent.parent
    if scope == "row" and "wordy" in group.parent["classes"]:
        heading = next(group.findall(nodes.thead))[0][node.parent.index(node)].astext()
        self.body[-1] = self.body[-1].replace("<td", f'<td data-title="{escape(heading, quote=True)}"', 1)


def _write_bundle(app: Sphinx) -> None:
    if app.builder.name == "html":
        static = _cache(app) / "static"
        vegalite.write_bundle(static / BUNDLE)
        app.config.html_static_path.append(str(static))


def setup(app: Sphinx) -> dict:
    """Register the nodes, the style sheet and the chart loader."""
    app.add_enumerable_node(evidence_figure, "figure", heading_text, html=(_visit_figure, _depart_figure))
    app.add_node(figure_heading, html=(_visit_heading, _depart_heading))
    app.add_node(chart, html=(_visit_chart, None))
    app.add_node(verdict_card, html=(_visit_card, _depart_card))
    app.add_node(card_heading, html=(_visit_card_heading, _depart_card_heading))
    app.add_node(nodes.table, override=True, html=(_visit_table, None))
    app.add_node(nodes.entry, override=True, html=(_visit_entry, None))
    app.connect("builder-inited", _write_bundle)
    app.connect("builder-inited", _start_pool)
    app.connect("doctree-read", _draw_ahead)
    app.connect("build-finished", _stop_pool)
    app.add_css_file("report.css")
    app.add_js_file("charts.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
