"""The printed report: the single-page build, laid out for paper and written as tagged PDF by WeasyPrint.

    jupyter-book build . --builder singlehtml
    python book/_tools/pdf.py _build/singlehtml _build/report.pdf
"""
from __future__ import annotations

import gc
import hashlib
import re
import sys
from html import escape
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from bs4.element import Tag

ROOT = Path(__file__).resolve().parents[2]
STYLE = ROOT / "book" / "_static" / "print.css"
TABLE_PAGES = "document-book/tables/"
FRONT_PAGE_HEADING = "In brief"
SHORT_TABLE_ROWS, SHORT_TABLE_LETTERS = 14, 2_500  # a table within both stays on one page
DENSE_COLUMNS, LANDSCAPE_COLUMNS = 6, 10
NOT_FOR_PAPER = "script, .headerlink, .cell_input, summary, button, .toctree-wrapper > .caption, .source-terms, #how-to-extend-this-chapter"
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


class PangoMissing(RuntimeError):
    """WeasyPrint cannot load Pango, the system library that sets its text."""


def make(singlehtml: Path, target: Path, config: dict) -> Path:
    """Write the PDF of a single-page build and return its path.

    `config` has `title` and `author` (as in _config.yml) and `citation` (CITATION.cff as a dictionary).
    Raises PangoMissing when the system lacks Pango, FileNotFoundError when the single page is not built.
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise PangoMissing("The PDF needs Pango, which this system does not have.") from error
    page = print_page(singlehtml, config)
    target.parent.mkdir(parents=True, exist_ok=True)
    HTML(string=page, base_url=f"{singlehtml.resolve()}/").write_pdf(
        target, pdf_variant="pdf/ua-1", pdf_identifier=hashlib.sha256(page.encode()).digest()[:16],
        srgb=True, optimize_images=True)
    return target


def print_page(singlehtml: Path, config: dict) -> str:
    """The HTML of the printed report: cover, contents, chapters, style."""
    chapters = read_chapters(_built_page(singlehtml))
    contents = _contents(chapters)
    body = "\n".join(str(chapter) for chapter in chapters)
    return (f'<!DOCTYPE html><html lang="en"><head>{_head(config)}</head><body>{_cover(config)}'
            f"{contents}<main>{body}</main></body></html>")


def read_chapters(html: str) -> list[Tag]:
    """The chapters of the single page, in order and ready for paper; pages of single tables are left out."""
    article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
    for node in article.select(NOT_FOR_PAPER):
        node.decompose()
    chapters = _split(article)
    _make_ids_unique(chapters)
    _mend_links(chapters)
    for name, chapter in chapters.items():
        _set_headings(chapter, front=name == "")
        _set_tables(chapter)
        _unwrap(chapter)
    return list(chapters.values())


def _built_page(singlehtml: Path) -> str:
    pages = [path for path in singlehtml.glob("*/index.html") if not path.parent.name.startswith("_")]
    if not pages:
        raise FileNotFoundError(f"No single-page build in {singlehtml}: run jupyter-book with --builder singlehtml")
    return pages[0].read_text(encoding="utf-8")


def _split(article: Tag) -> dict[str, Tag]:
    """{anchor of the page: its section}; the front page, which holds all others, has the anchor ''."""
    front, pages = article.find("section"), {}
    for anchor in article.select('span[id^="document-"]'):
        section = anchor.find_next_sibling("section")
        if not anchor["id"].startswith(TABLE_PAGES):
            pages[anchor["id"]] = section
    for section in pages.values():
        section.extract()
    for holder in [front, *pages.values()]:
        for wrapper in holder.select(".toctree-wrapper"):
            wrapper.decompose()
    return {"": front, **pages}


def _make_ids_unique(chapters: dict[str, Tag]) -> None:
    """Pages may share a heading: later ones get a suffix, and the links of their own page follow."""
    seen: set[str] = set()
    for number, chapter in enumerate(chapters.values()):
        holders = [chapter, *chapter.find_all(id=True)]
        again = {node["id"] for node in holders if node["id"] in seen}
        for node in holders:
            node["id"] += f"-{number}" if node["id"] in again else ""
            seen.add(node["id"])
        for link in chapter.select('a[href^="#"]'):
            if link["href"][1:] in again:
                link["href"] += f"-{number}"


def _mend_links(chapters: dict[str, Tag]) -> None:
    """Point links at what is printed; words whose target is not printed stay as words."""
    printed = {node["id"] for chapter in chapters.values() for node in [chapter, *chapter.find_all(id=True)]}
    for chapter in chapters.values():
        for link in chapter.select("a[href]"):
            if re.match(r"[a-z]+:", link["href"]):
                continue
            anchor = link["href"].partition("#")[2]
            anchor = chapters[anchor]["id"] if anchor in chapters else anchor
            if anchor in printed:
                link["href"] = f"#{anchor}"
            else:
                link.unwrap()


def _set_headings(chapter: Tag, front: bool) -> None:
    """Every page starts at the first level; the front page, whose title is on the cover, gets its own heading."""
    if front:
        chapter.find(HEADINGS).string = FRONT_PAGE_HEADING
        return
    for heading in chapter.find_all(HEADINGS):
        heading.name = f"h{max(int(heading.name[1]) - 1, 1)}"


def _set_tables(chapter: Tag) -> None:
    for table in chapter.find_all("table"):
        columns = len(table.find("tr").find_all(["th", "td"]))
        names = {"dense": columns >= DENSE_COLUMNS, "landscape": columns >= LANDSCAPE_COLUMNS,
                 "whole": len(table.find_all("tr")) <= SHORT_TABLE_ROWS and len(table.get_text()) <= SHORT_TABLE_LETTERS}
        table["class"] = [*table.get("class", []), *(name for name, holds in names.items() if holds)]
        holder = table.find_parent(class_="evidence-table")
        if holder and not names["whole"]:
            holder["class"] = [*holder["class"], "long"]


def _unwrap(chapter: Tag) -> None:
    """Take off what serves the screen only; a figure's image carries the alternative text by itself."""
    for node in chapter.select(".pst-scrollable-table-container, details"):
        node.unwrap()
    for figure in chapter.select("figure.evidence, figcaption"):
        figure["class"] = [*figure.get("class", []), figure.name]
        figure.name = "div"
    for cell in chapter.select(".cell"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.decompose()


def _head(config: dict) -> str:
    cited = config["citation"]
    return (f'<meta charset="utf-8"><title>{escape(config["title"])}</title>'
            f'<meta name="author" content="{escape(config["author"], quote=True)}">'
            f'<meta name="description" content="{escape(config["title"], quote=True)}">'
            f'<meta name="dcterms.created" content="{cited["date-released"]}">'
            f'<meta name="dcterms.modified" content="{cited["date-released"]}">'
            f"<style>{STYLE.read_text(encoding='utf-8')}</style>")


def _cover(config: dict) -> str:
    title, _, subtitle = config["title"].partition(": ")
    cited, author = config["citation"], escape(config["author"])
    released = cited["date-released"]
    year, day = released.year, f"{released.day} {released:%B %Y}"
    address = f" {escape(cited['url'])}" if cited.get("url") else ""
    return (f'<section class="cover"><p class="cover-title">{escape(title)}</p>'
            f'<p class="cover-subtitle">{escape(subtitle[:1].upper() + subtitle[1:])}</p>'
            f'<p class="cover-author">{author}</p>'
            f'<p class="cover-version">Version {escape(str(cited["version"]))}, {day}</p>'
            f'<p class="cover-cite"><strong>How to cite.</strong> {author} ({year}). '
            f'<em>{escape(config["title"])}</em>. Version {escape(str(cited["version"]))}.{address}</p></section>')


def _contents(chapters: list[Tag]) -> str:
    """The contents point at the headings themselves: a label before a section can stand on the page before."""
    lines = []
    for chapter in chapters:
        for heading in chapter.find_all(["h1", "h2"]):
            heading["id"] = f"{heading.find_parent('section')['id']}-heading"
            lines.append(f'<li class="level-{heading.name[1]}"><a href="#{heading["id"]}">{escape(heading.get_text(strip=True))}</a></li>')
    return f'<nav class="contents" aria-label="Contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def read_config(root: Path) -> dict:
    """What `make` needs, from _config.yml and CITATION.cff."""
    book = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    return {"title": book["title"], "author": book["author"], "citation": citation}


def main(arguments: list[str]) -> int:
    """Command line: the folder of the single page and the PDF to write."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    gc.disable()  # pages are trees of many nodes that live to the end: to look for garbage among them takes a third of the time
    try:
        print(make(Path(arguments[0]), Path(arguments[1]), read_config(ROOT)))
    except (PangoMissing, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
