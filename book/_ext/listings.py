"""Lists that the book compiles from stored outputs and data, so that no page repeats them by hand.

    ```{findings}       every finding, with its figure and chapter
    ```{verdicts}       the judged claims and their tally
    ```{notebooks}      every chapter as a notebook to download
    ```{sources}        the bibliography
    ```{data-index}     every table, by theme
"""
from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

import stored
from outputs import grid, verdict_chip
from site_links import file_link, reference


class Listing(SphinxDirective):
    """A list made from files: its page is read again when one of them changes, comes or goes."""

    def watch(self, *tables: str) -> Path:
        """Register notebooks, package and `tables` as dependencies; return the project's folder."""
        root = Path(self.env.srcdir)
        tables_read = [root / "data" / f"{name}.csv" for name in tables]
        for path in [*stored.notebooks(root), stored.package_path(root), *tables_read]:
            self.env.note_dependency(str(path))
        _listings(self.env)[self.env.docname] = _chapters(self.env)
        return root

    def link(self, kind: str, target: str, text: str = "") -> nodes.Element:
        """A cross reference from this page."""
        return reference(kind, target, text, self.env.docname)


class Findings(Listing):
    """Every finding of every chapter, in reading order."""

    def run(self) -> list[nodes.Node]:
        root = self.watch()
        items = nodes.bullet_list(classes=["findings"])
        for docname, content in stored.outputs(root, stored.FINDING):
            item = nodes.list_item()
            self.state.nested_parse(StringList(content["text"].splitlines(), docname), 0, item)
            place = nodes.paragraph("", "", classes=["finding-place"])
            for name in content["figures"]:
                place += [self.link("numref", name.lower()), nodes.Text(", ")]
            place += self.link("doc", f"/{docname}", f"chapter {stored.chapter_number(docname)}")
            item += place
            items += item
        return [items] if items.children else []


class Verdicts(Listing):
    """The tally sentence and the table of judged claims."""

    def run(self) -> list[nodes.Node]:
        root = self.watch("claims")
        judged = sorted(stored.outputs(root, stored.VERDICT), key=lambda item: item.content["id"])
        claims = [row for row in stored.rows(root, "claims") if not row["parent_id"]]
        sentence = nodes.paragraph("", tally([item.content for item in judged], len(claims)), classes=["tally"])
        if not judged:
            return [sentence]
        rows = [self._row(*item) for item in judged]
        table = grid(["Claim", "In words", "Verdict", "Confidence", "Ch."], rows, ["left"] * 5, self.env.docname)
        return [sentence, nodes.container("", table, classes=["ledger"])]

    def _row(self, docname: str, content: dict) -> list:
        chapter = self.link("doc", f"/{docname}", stored.chapter_number(docname))
        return [self.link("ref", content["id"].lower(), content["id"]), content["claim"],
                verdict_chip(content["verdict"]), content.get("confidence") or "–", chapter]


def tally(judged: list[dict], total: int) -> str:
    """'9 of 93 claims are judged so far, in 11 parts: 3 supported, 2 mixed, …' in the order of the verdicts; a part counts by itself."""
    claims = {content.get("parent") or content["id"] for content in judged}
    if not claims:
        return f"None of the {total} claims is judged yet."
    counts = Counter(content["verdict"] for content in judged)
    words = ", ".join(f"{counts[name]} {name.lower()}" for name in stored.VERDICTS if counts[name])
    so_far = " so far" if len(claims) < total else ""
    parts = f", in {len(judged)} parts" if len(judged) > len(claims) else ""
    return f"{len(claims)} of {total} claims are judged{so_far}{parts}: {words}."


class Notebooks(Listing):
    """Every chapter's notebook as a file to take along."""

    def run(self) -> list[nodes.Node]:
        items = nodes.bullet_list()
        for path in stored.notebooks(self.watch()):
            items += nodes.list_item("", nodes.paragraph("", "", file_link(f"notebooks/{path.name}", stored.title(path))))
        return [items]


class Sources(Listing):
    """The bibliography, by producer, with an anchor for every source."""

    def run(self) -> list[nodes.Node]:
        root = self.watch("sources")
        used, groups = self._used(root), defaultdict(list)
        for source in sorted(stored.rows(root, "sources"), key=lambda row: (row["producer"].lower(), row["published"])):
            initial = source["producer"][0].upper()
            groups[initial if initial.isalpha() else "0–9"].append(self._entry(source, used[source["source_id"]]))
        return [node for letter, entries in sorted(groups.items()) for node in _group(letter, entries)]

    def _used(self, root: Path) -> dict[str, list[str]]:
        used = defaultdict(list)
        for name, resource in stored.resources(root).items():
            columns = stored.source_columns(resource)
            if columns:
                self.env.note_dependency(str(root / "data" / f"{name}.csv"))
                for source in {row[column] for row in stored.rows(root, name) for column in columns}:
                    used[source].append(name)
        return used

    def _entry(self, source: dict[str, str], tables: list[str]) -> nodes.list_item:
        anchor = f"source-{source['source_id']}"
        item = nodes.list_item(ids=[anchor], classes=["source"])
        self.env.get_domain("std").note_hyperlink_target(anchor.lower(), self.env.docname, anchor, source["title"])
        first = nodes.paragraph("", f"{source['producer']}. ")
        first += [nodes.emphasis("", source["title"]), nodes.Text(f". {source['published'].capitalize()}. ")]
        first += _address(source["url"])
        item += [first, nodes.paragraph("", "", *self._terms(source, tables), classes=["source-terms"])]
        return item

    def _terms(self, source: dict[str, str], tables: list[str]) -> list[nodes.Node]:
        seen = source["seen_at"].strip()
        parts = [nodes.Text(f"{source['kind'].capitalize()}. ")]
        if seen and seen != "same":
            parts += [nodes.Text("Read in a copy at "), *_address(seen), nodes.Text(". ")]
        parts += [nodes.Text(f"Terms: {source['terms'].rstrip('.')}. ")]
        if source["note"]:
            parts += [nodes.Text(f"{source['note'].rstrip('.')}. ")]
        if tables:
            parts += [nodes.Text("Used in ")]
            links = [self.link("doc", f"/{stored.table_page(name)}", name) for name in tables]
            parts += [part for link in links for part in (nodes.Text(", "), link)][1:] + [nodes.Text(".")]
        return parts


def _group(letter: str, entries: list[nodes.list_item]) -> list[nodes.Node]:
    return [nodes.rubric("", letter), nodes.bullet_list("", *entries, classes=["sources"])]


def _address(words: str) -> list[nodes.Node]:
    """A text with its web addresses as links."""
    parts = []
    for word in words.split():
        bare = word.rstrip(";,.")
        link = bare.startswith(("https://", "http://"))
        # The inner node keeps the theme from shortening the address to its repository.
        address = nodes.reference("", "", nodes.inline("", unquote(bare)), refuri=bare, classes=["address"])
        parts += [address, nodes.Text(word[len(bare):])] if link else [nodes.Text(word)]
        parts += [nodes.Text(" ")]
    return parts[:-1]


class DataIndex(Listing):
    """Every table by theme: title, question, rows, grade."""

    def run(self) -> list[nodes.Node]:
        root, themes = self.watch(), defaultdict(list)
        for name, resource in stored.resources(root).items():
            self.env.note_dependency(str(root / "data" / f"{name}.csv"))
            themes[stored.theme(name)].append(self._row(root, name, resource))
        tables = [self._theme(theme, rows) for theme, rows in sorted(themes.items())]
        return [nodes.container("", *tables, classes=["data-index"])]

    def _row(self, root: Path, name: str, resource: dict) -> list:
        page = self.link("doc", f"/{stored.table_page(name)}", resource["title"])
        return [page, resource["question"], f"{len(stored.rows(root, name)):,}", resource["grade"],
                file_link(f"data/{name}.csv", "CSV")]

    def _theme(self, theme: str, rows: list[list]) -> nodes.table:
        aligns = ["left", "left", "right", "left", "left"]
        table = grid(["Table", "Question it answers", "Rows", "Grade", "File"], rows, aligns, self.env.docname)
        table["ids"] = [f"theme-{nodes.make_id(theme)}"]
        table.insert(0, nodes.title(theme, theme))
        return table


def _listings(env: BuildEnvironment) -> dict[str, list[str]]:
    if not hasattr(env, "evidence_listings"):
        env.evidence_listings = {}
    return env.evidence_listings


def _chapters(env: BuildEnvironment) -> list[str]:
    return [path.name for path in stored.notebooks(Path(env.srcdir))]


def _outdated(app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """The pages with a list, when a chapter has come or gone since they were read."""
    return [name for name, seen in _listings(env).items() if seen != _chapters(env) and name in env.found_docs]


def setup(app: Sphinx) -> dict:
    """Register the directives."""
    listings = {"findings": Findings, "verdicts": Verdicts, "notebooks": Notebooks, "sources": Sources, "data-index": DataIndex}
    for name, directive in listings.items():
        app.add_directive(name, directive)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
