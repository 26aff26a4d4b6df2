"""The PDF: found by title, read aloud, leafed through, and complete.

Checkers look at what was read from a PDF and return faults in words; each is shown to see a fault before it looks at the report.
"""
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import stored
import yaml
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

LEADERS = re.compile(r"^\s*(\S.*?)(?:\s*\.){3,}\s*(\d+)\s*$")
HEADING = re.compile(r"^(#{1,2}) (.+)", re.M)
RAW = re.compile(r"\{(?:numref|ref|doc|site-file|pdf-link)[}:]|\{glue|:::|```|</?(?:div|span|p|td|svg)\b|\$\d\||\bNaN\b|\bundefined\b|\bNaT\b|<NA>|file://|\{[a-z]+\}`")
MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|root|tmp|usr|var|opt|mnt|Users|private)/\w")
ALT_AT_LEAST = 40
A4 = (595.28, 841.89)
SCREEN_ONLY = "How to extend this chapter"


def plain(text: str) -> str:
    """Text as one line, without the hyphens that the setting added and with straight quotes."""
    return " ".join(re.sub(r"(?<=\w-)\n\s*(?=\w)", "", re.sub(r"‐\n\s*", "", text)).translate(str.maketrans("‐’‘“”", "-''\"\"")).split())


def pages_of(path: Path) -> list[str]:
    """The text of every page, by pdftotext where it is installed."""
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
        return text.split("\f")[:-1]
    return [page.extract_text() for page in PdfReader(path).pages]


# Checkers


def poor_metadata(reader: PdfReader, title: str, author: str) -> list[str]:
    """Title, author, language and tags that a reader's program asks for."""
    root, info = reader.trailer["/Root"], reader.metadata or {}
    found = {"title": (info.get("/Title"), title), "author": (info.get("/Author"), author), "language": (root.get("/Lang"), "en"),
             "tags": (bool((root.get("/MarkInfo") or {}).get("/Marked")), True), "structure": ("/StructTreeRoot" in root, True),
             "title in the window": (bool((root.get("/ViewerPreferences") or {}).get("/DisplayDocTitle")), True), "encryption": (reader.is_encrypted, False)}
    return [f"{what}: {now!r} instead of {right!r}" for what, (now, right) in found.items() if now != right]


def bookmarks(reader: PdfReader) -> list[tuple[int, str, int]]:
    """(level, title, page) of every bookmark, pages counted from 1."""
    def walk(items, level):
        for item in items:
            if isinstance(item, list):
                yield from walk(item, level + 1)
            else:
                yield level, plain(item.title), reader.get_destination_page_number(item) + 1
    return list(walk(reader.outline, 1))


def missing_bookmarks(marks: list[tuple[int, str, int]], headings: list[tuple[int, str]]) -> list[str]:
    """Chapters and sections without a bookmark of their level, in order."""
    rest, faults = iter(marks), []
    for heading in headings:
        if not any(mark[:2] == heading for mark in rest):
            faults.append(f"no bookmark of level {heading[0]} for {heading[1]!r} after the one before")
            rest = iter(marks)
    return faults


def contents(pages: list[str]) -> list[tuple[str, int]]:
    """(heading, page number) of every line of the table of contents."""
    lines = [LEADERS.match(line) for page in pages[:8] for line in page.splitlines()]
    return [(plain(line[1]), int(line[2])) for line in lines if line]


def wrong_contents(pages: list[str], marks: list[tuple[int, str, int]]) -> list[str]:
    """Lines of the contents that send a reader to another page than the heading's, and headings without a line."""
    lines, faults = contents(pages), []
    for heading, number in lines:
        if number > len(pages) or plain(heading) not in plain(pages[number - 1]):
            faults.append(f"the contents put {heading!r} on page {number}, where it is not")
    expected = [(title, page) for level, title, page in marks if level <= 2 and title != "Contents"]
    faults += [f"{title!r} is on page {page} and the contents do not say so" for title, page in expected if (title, page) not in lines]
    return faults


def wrong_folios(pages: list[str]) -> list[str]:
    """Pages after the cover on which another number is printed than their place."""
    last = {number: (text.split() or ["nothing"])[-1] for number, text in enumerate(pages, 1) if number > 1}
    return [f"page {number} is numbered {shown}" for number, shown in last.items() if shown != str(number)]


def blank_pages(pages: list[str], reader: PdfReader) -> list[str]:
    """Pages that hold hardly more than their running head."""
    images = [bool(page["/Resources"].get("/XObject")) for page in reader.pages]
    return [f"page {number} is all but blank" for number, (text, image) in enumerate(zip(pages, images, strict=True), 1)
            if len("".join(text.split())) < 150 and not image]


def raw_text(pages: list[str]) -> list[str]:
    """Markup that was not read, and places on the machine that made the file."""
    return [f"page {number}: {text[max(match.start() - 20, 0):match.end() + 30]!r}" for number, text in enumerate(pages, 1)
            for match in [*RAW.finditer(text), *MACHINE.finditer(text)]]


def missing_captions(pages: list[str], captions: list[str]) -> list[str]:
    """Numbered titles of figures and tables that are not printed."""
    text = plain("\n".join(pages))
    return [f"not printed: {caption}" for caption in captions if plain(caption) not in text]


def structure(reader: PdfReader) -> list[DictionaryObject]:
    """Every element of the structure tree."""
    found, waiting = [], [reader.trailer["/Root"].get("/StructTreeRoot", DictionaryObject())]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, ArrayObject):
            waiting.extend(node)
        elif isinstance(node, DictionaryObject):
            found.append(node)
            waiting.extend([node.raw_get("/K")] if "/K" in node else [])
    return found


def silent_figures(elements: list, texts: list[str]) -> list[str]:
    """Figures of the structure tree without words, and alternative texts that no figure carries."""
    figures = [" ".join(str(node.get("/Alt", "")).split()) for node in elements if node.get("/S") == "/Figure"]
    faults = [f"a figure is told only as {text!r}" for text in figures if len(text) < ALT_AT_LEAST]
    return faults + [f"no figure says {text!r}" for text in texts if " ".join(text.split()) not in figures]


def loose_fonts(reader: PdfReader) -> list[str]:
    """Fonts that are named and not embedded."""
    seen, faults, waiting = set(), [], [page.raw_get("/Resources") for page in reader.pages]
    while waiting:
        held = waiting.pop()
        if getattr(held, "idnum", None) in seen:  # pages share theirs, which hold every image of the report
            continue
        seen.add(getattr(held, "idnum", id(held)))
        resources = held.get_object()
        for font in (resources.get("/Font") or {}).values():
            if font.indirect_reference not in seen:
                seen.add(font.indirect_reference)
                faults += _not_embedded(font.get_object())
        forms = [form.get_object() for form in (resources.get("/XObject") or {}).values()]
        waiting += [form.raw_get("/Resources") for form in forms if "/Resources" in form]
    return faults


def _not_embedded(font: DictionaryObject) -> list[str]:
    inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    descriptor = inner.get("/FontDescriptor") or {}
    return [] if any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3")) else [f"font {font.get('/BaseFont')} is not embedded"]


# The checkers see faults


@pytest.fixture(scope="module")
def poor(tmp_path_factory) -> PdfReader:
    """A PDF of one page with a font that is not embedded, and nothing that a good one has."""
    path = tmp_path_factory.mktemp("pdf") / "poor.pdf"
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>",
               "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", "<</Length 33>>stream\nBT /F1 12 Tf 9 9 Td (Hello) Tj ET\nendstream"]
    body, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj{text}endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    path.write_text(f"{body}xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n")
    return PdfReader(path)


def test_a_poor_file_is_seen(poor):
    assert poor_metadata(poor, "T", "A") == [
        "title: None instead of 'T'", "author: None instead of 'A'", "language: None instead of 'en'", "tags: False instead of True",
        "structure: False instead of True", "title in the window: False instead of True"]
    assert loose_fonts(poor) == ["font /Helvetica is not embedded"]
    assert wrong_sizes(poor) == ["page 1 is 612 x 792 points"]
    assert blank_pages(["Hello"], poor) == ["page 1 is all but blank"]
    assert bookmarks(poor) == [] and structure(poor) == [{}]


def test_wrong_contents_are_seen():
    pages = ["Cover", "Contents\nLaw . . . . . 3\nResult . . . . 9\nUnity. . . . . 3\n 2", "Law\nUnity\n 4"]
    assert contents(pages) == [("Law", 3), ("Result", 9), ("Unity", 3)]
    assert wrong_contents(pages, [(1, "Law", 3), (2, "Unity", 2), (3, "Deep", 1)]) == [
        "the contents put 'Result' on page 9, where it is not", "'Unity' is on page 2 and the contents do not say so"]
    assert wrong_folios(pages) == ["page 3 is numbered 4"]


def test_missing_bookmarks_are_seen():
    marks = [(1, "Law", 2), (2, "When?", 2), (1, "Data", 5)]
    assert missing_bookmarks(marks, [(1, "Law"), (2, "When?"), (1, "Data")]) == []
    assert missing_bookmarks(marks, [(1, "Law"), (2, "Who?"), (2, "Data")]) == [
        "no bookmark of level 2 for 'Who?' after the one before", "no bookmark of level 2 for 'Data' after the one before"]


@pytest.mark.parametrize("text", ["see {numref}`fig-a`", "::: note", "</div>", "NaN", "$1|", "in /home/someone/report", "at file:///x", "/tmp/x.py"])
def test_raw_text_is_seen(text):
    assert len(raw_text(["fine", f"some {text} words"])) >= 1
    assert raw_text(["fine: book/methods.md and https://example.org/home/x and/or"]) == []


def test_missing_captions_and_silent_figures_are_seen():
    assert missing_captions(["Figure 4.1\n  Law was ad‐\nopted early"], ["Figure 4.1 Law was adopted early", "Figure 4.2 Late"]) == ["not printed: Figure 4.2 Late"]
    figures = [{"/S": "/Figure", "/Alt": "Chart"}, {"/S": "/Figure", "/Alt": "A line chart of parties by year\nthat rises"}, {"/S": "/P"}]
    assert silent_figures(figures, ["A line chart of parties by year that rises", "Another"]) == ["a figure is told only as 'Chart'", "no figure says 'Another'"]


# The report


def wrong_sizes(reader: PdfReader) -> list[str]:
    """Pages that are not A4, upright or on their side."""
    boxes = [sorted((float(page.mediabox.width), float(page.mediabox.height))) for page in reader.pages]
    return [f"page {number} is {box[0]:g} x {box[1]:g} points" for number, box in enumerate(boxes, 1)
            if abs(box[0] - A4[0]) > 1 or abs(box[1] - A4[1]) > 1]


@pytest.fixture(scope="module")
def report(report_pdf, root) -> SimpleNamespace:
    """The PDF with what was read from it, and what the project says should be in it."""
    reader = PdfReader(report_pdf)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return SimpleNamespace(reader=reader, pages=pages_of(report_pdf), marks=bookmarks(reader), elements=structure(reader), config=config,
                           citation=stored.citation(root))


def headings(root: Path) -> list[tuple[int, str]]:
    """(level, words) of the headings of the chapters and pages in the order of _toc.yml; generated data pages and the parts on extending are not printed."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(item["file"] for part in toc["parts"] for item in part["chapters"])]
    texts = [_markdown(root / name) for name in files]
    found = [(len(marks), plain(re.sub(r"[*`]", "", words))) for text in texts for marks, words in HEADING.findall(text) if words != SCREEN_ONLY]
    return found[1:]  # the title of the first page stands on the cover


def _markdown(path: Path) -> str:
    if path.with_suffix(".md").exists():
        return re.sub(r"```.*?```", "", path.with_suffix(".md").read_text(encoding="utf-8"), flags=re.S)
    notebook = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def test_programs_can_name_and_read_it(report):
    assert poor_metadata(report.reader, report.config["title"], report.config["author"]) == []
    assert Counter(node.get("/S") for node in report.elements)["/H1"] >= 5, "the headings are not tagged"
    assert any(node.get("/S") == "/TH" for node in report.elements), "the header cells of tables are not tagged"


def test_bookmarks_lead_to_every_chapter_and_section(report, root):
    assert missing_bookmarks(report.marks, headings(root)) == []
    astray = [(title, page) for _, title, page in report.marks if title not in plain(report.pages[page - 1])]
    assert astray == [], "bookmarks lead to pages that do not have the heading"
    assert SCREEN_ONLY not in {title for _, title, _ in report.marks}


def test_the_contents_name_the_right_pages(report, root):
    assert len(contents(report.pages)) >= len(headings(root))
    assert wrong_contents(report.pages, report.marks) == []


def test_every_page_carries_its_number(report):
    assert wrong_folios(report.pages) == []


def test_every_figure_and_table_is_printed_with_number_and_title(report, root):
    counts, captions = Counter(), []
    for docname, item in stored.figures(root):
        kind, chapter = {"figure": "Figure", "table": "Table"}[item["kind"]], int(docname.rpartition("/")[2][:2])
        counts[kind, chapter] += 1
        captions.append(f"{kind} {chapter}.{counts[kind, chapter]} {item['title']}")
    assert len(captions) >= 10
    assert missing_captions(report.pages, captions) == []


def test_every_figure_can_be_heard(report, root):
    texts = [item["alt"] for _, item in stored.figures(root) if item["kind"] == "figure"]
    assert texts and silent_figures(report.elements, texts) == []


def test_every_verdict_is_printed(report, root):
    text = plain("\n".join(report.pages))
    cards = [item.content for item in stored.outputs(root, stored.VERDICT)]
    assert cards and [card["id"] for card in cards if plain(f"{card['id']} {card['claim']}") not in text] == []


def test_fonts_travel_with_it(report):
    assert loose_fonts(report.reader) == []


def test_no_page_is_blank_and_all_are_a4(report):
    assert blank_pages(report.pages, report.reader) == []
    assert wrong_sizes(report.reader) == []


def test_no_raw_markup_and_no_trace_of_a_machine(report, root):
    assert raw_text(report.pages) == []
    assert str(root) not in "\n".join(report.pages)


def test_links_lead_somewhere(report):
    names, faults = set(report.reader.named_destinations), []
    for number, page in enumerate(report.reader.pages, 1):
        for note in page.get("/Annots") or []:
            note = note.get_object()
            action = note.get("/A", {})
            if "/URI" in action and not str(action["/URI"]).startswith(("https://", "http://", "mailto:")):
                faults.append(f"page {number}: a link to {action['/URI']}")
            target = note.get("/Dest", action.get("/D"))
            if isinstance(target, str) and target not in names:
                faults.append(f"page {number}: a link to {target}, which is nowhere")
    assert faults == []


def test_the_cover_says_what_it_is_and_how_to_cite_it(report):
    cover = plain(report.pages[0])
    title, _, subtitle = report.config["title"].partition(": ")
    year = str(report.citation["date-released"])[:4]
    for words in (title, subtitle[1:], report.config["author"], f"Version {report.citation['version']}", "How to cite", f"({year})"):
        assert words in cover, f"the cover does not say {words!r}"
