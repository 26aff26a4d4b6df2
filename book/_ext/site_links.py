"""Links to files that the site offers beside its pages: tables, the package, notebooks, the PDF.

    {site-file}`the whole data package <datapackage.zip>`
    {pdf-link}`Read the report as PDF`

On paper a link to a file prints the file's name.
"""
from __future__ import annotations

import os
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole
from sphinx.util.osutil import relative_uri
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
PDF = "report.pdf"
PACKAGE = "datapackage.zip"
NO_PDF = "not part of this build; <code>make report</code> makes it"


class site_file(nodes.Inline, nodes.TextElement):
    """A link to `path`, relative to the root of the site."""


def file_link(path: str, text: str) -> site_file:
    """A link to a file of the site, as a node."""
    return site_file(text, text, path=path)


def reference(kind: str, target: str, text: str, docname: str) -> addnodes.pending_xref:
    """A cross reference node of the standard domain; `kind` is doc, ref or numref."""
    node = addnodes.pending_xref(
        text, nodes.inline(text, text, classes=["xref", "std", f"std-{kind}"]), refdomain="std", reftype=kind,
        reftarget=target, refexplicit=bool(text), refdoc=docname, refwarn=True)
    return node


class SiteFileRole(ReferenceRole):
    """{site-file}`words <path/from/the/site/root>`"""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [file_link(self.target, self.title)], []


class PdfLinkRole(ReferenceRole):
    """{pdf-link}`words`: a link when this build has a PDF, else how to make one."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [site_file(self.title, self.title, path=PDF)], []


def _published(app: Sphinx, path: str) -> bool:
    made = {PACKAGE: True, PDF: app.config.report_pdf}
    return made.get(path, (Path(app.srcdir) / path).is_file())


def _visit_html(self: HTML5Translator, node: site_file) -> None:
    path, app = node["path"], self.builder.app
    if self.builder.name == "singlehtml":
        name = f"{node.astext()} ({path})" if node.astext() != "CSV" else path
        self.body.append(f'<span class="site-file">{escape(name)}</span>')
    elif path == PDF and not app.config.report_pdf:
        self.body.append(f"{escape(node.astext())} ({NO_PDF})")
    else:
        if not _published(app, path):
            LOGGER.warning("site-file: there is no %s to link to", path, location=node)
        href = relative_uri(self.builder.get_target_uri(self.builder.current_docname), path)
        self.body.append(f'<a class="site-file" href="{escape(href)}" download>{escape(node.astext())}</a>')
    raise nodes.SkipNode


def _visit_text(self: nodes.NodeVisitor, node: site_file) -> None:
    """Other builders print the words."""


def setup(app: Sphinx) -> dict:
    """Register the roles and the switch REPORT_PDF=1, which says that a PDF goes with this site."""
    app.add_config_value("report_pdf", os.environ.get("REPORT_PDF") == "1", "html", bool)
    app.add_node(site_file, html=(_visit_html, None), text=(_visit_text, _visit_text), latex=(_visit_text, _visit_text))
    app.add_role("site-file", SiteFileRole())
    app.add_role("pdf-link", PdfLinkRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
