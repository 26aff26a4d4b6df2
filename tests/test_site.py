"""The built site: nothing leads nowhere, nothing is fetched from elsewhere, nothing is left without words, source or data.

Every checker takes a Site and returns its faults in words. Each is shown to see a fault before it is run on the product.
"""
import base64
import gzip
import hashlib
import json
import re
import zipfile
from collections import Counter
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import outputs
import pytest
import stored
from bs4 import BeautifulSoup
from bs4.element import Comment, Tag

FRONT, SEARCH, REFERENCES = "book/index.html", "search.html", "book/references.html"
ALT_AT_LEAST = 40
PAGE_KB, FIGURE_KB, VISIT_KB = 20, 8, 250
REGISTER_KB = 400  # the references and the search hold the whole report: every source, every word
LAZY = "vega-bundle.js"  # fetched when a reader touches a chart, not on a visit
LOADING = {"link": ["href"], "script": ["src"], "img": ["src", "srcset"], "source": ["src", "srcset"], "iframe": ["src"], "video": ["src", "poster"],
           "audio": ["src"], "object": ["data"], "embed": ["src"], "form": ["action"], "use": ["href", "xlink:href"], "image": ["href", "xlink:href"]}
FOREIGN = re.compile(r"^\s*(?:https?:|wss?:|ftp:)?//", re.I)
CSS_LOAD = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])([^"')]+)""")
SCRIPT_LOAD = re.compile(r"""(?:fetch\(|import\(|importScripts\(|sendBeacon\(|\.open\(|\.src\s*=|\.href\s*=)\s*["'`](?:https?:)?//[^"'`]*""")
ADDRESS = re.compile(r"""["'`]((?:https?|wss?)://[^"'`\s]+)""")
RAW = re.compile(r"""\{(?:numref|ref|doc|glue|site-file|pdf-link|cite)[}:]|\{glue|:::|```|\$\{?\d+\||\bnan\b|NaN|\bundefined\b|\[object |(?:^|[(,;:]\s?)None(?=$|[),;])|<NA>|\bNaT\b|\{[a-z_]+\}""")


class Site:
    """The pages of a folder, read once; pages that only lead on to another are apart."""

    def __init__(self, folder: Path):
        self.folder = folder
        files = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
        self.every = {path.relative_to(folder).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in files}
        self.pages = {name: page for name, page in self.every.items() if not page.find("meta", {"http-equiv": "refresh"})}

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        return {name: [node["id"] for node in page.find_all(id=True)] for name, page in self.every.items()}

    def resolve(self, page: str, address: str) -> Path:
        """The file that an address on a page stands for."""
        return (self.folder / page).parent.joinpath(unquote(urlsplit(address).path)).resolve()

    def linked(self, page: str, selector: str, attribute: str) -> list[Path]:
        """The files of this site that a page takes in with some tag."""
        return [self.resolve(page, node[attribute]) for node in self.every[page].select(selector) if not FOREIGN.match(node[attribute])]


def inner(address: str) -> bool:
    """Whether an address stays on the site."""
    return not re.match(r"[a-z][a-z+.-]*:", address, re.I) and not FOREIGN.match(address)


def on_screen(page: BeautifulSoup, *names) -> list[Tag]:
    """Tags that are not kept for the theme's print view."""
    return [node for node in page.find_all(*names) if not node.find_parent(class_="onlyprint")]


def words(node: Tag | None) -> str:
    """The text of a node, with straight quotes and without the mark of its permalink."""
    texts = node.find_all(string=True) if node else []
    return plain("".join(text for text in texts if "headerlink" not in (text.parent.get("class") or [])))


def plain(text: str) -> str:
    """Text with straight quotes and single blanks."""
    return " ".join(text.translate(str.maketrans("’‘“”", "''\"\"")).split())


# Addresses


def dead_links(site: Site) -> list[str]:
    """Links, anchors, downloads, styles, scripts and pictures whose target is not there."""
    faults = []
    for name, page in site.every.items():
        targets = [node[key] for tag, keys in {**LOADING, "a": ["href"]}.items() for key in keys for node in page.find_all(tag, attrs={key: True})
                   if not (tag == "form" or node[key] == "#" and not node.find_parent("main"))]
        targets += [node["content"].partition("url=")[2] for node in page.find_all("meta", {"http-equiv": "refresh"})]
        faults += [f"{name}: {target!r} leads nowhere" for target in dict.fromkeys(targets) if inner(target) and not _arrives(site, name, target)]
    return faults


def _arrives(site: Site, page: str, target: str) -> bool:
    path, fragment = site.resolve(page, target), unquote(urlsplit(target).fragment)
    path = (site.folder / page).resolve() if not urlsplit(target).path else path
    if not path.is_file() or site.folder.resolve() not in path.parents:
        return False
    name = path.relative_to(site.folder.resolve()).as_posix()
    if name not in site.ids:
        return True
    return fragment in site.ids[name] if "#" in target else True


def dead_style_links(site: Site) -> list[str]:
    """Pictures and fonts that a style sheet in use names and that are not there."""
    return [f"{sheet.relative_to(site.folder)}: {target!r} leads nowhere"
            for sheet in sheets(site) for target in CSS_LOAD.findall(sheet.read_text(encoding="utf-8"))
            if inner(target) and not (sheet.parent / unquote(urlsplit(target).path)).is_file()]


def sheets(site: Site) -> list[Path]:
    """The style sheets that pages use."""
    found = {path: None for name in site.every for path in site.linked(name, 'link[rel~="stylesheet"][href]', "href")}
    return [path for path in found if path.is_file()]


def scripts(site: Site) -> list[Path]:
    """The script files that pages use."""
    return list({path: None for name in site.every for path in site.linked(name, "script[src]", "src") if path.is_file()})


def dangling_references(site: Site) -> list[str]:
    """Names inside a page (labels, clip paths, menus) that no id of the page answers."""
    faults = []
    for name, page in site.every.items():
        wanted = {word for key in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list") for node in page.find_all(attrs={key: True})
                  for word in (node[key] if isinstance(node[key], list) else node[key].split())}
        for node in page.find_all(["svg", "g", "path", "rect", "text"]):
            wanted.update(match for value in node.attrs.values() if isinstance(value, str) for match in re.findall(r"url\(#([^)]+)\)", value))
        faults += [f"{name}: nothing has the id {word!r} that is named" for word in sorted(wanted - set(site.ids[name]))]
    return faults


def foreign_loads(site: Site) -> list[str]:
    """Whatever a page, a style sheet or a script would fetch from another address. A link to click on is none."""
    faults = []
    for name, page in site.every.items():
        loads = [(f"<{tag} {key}>", node[key]) for tag, keys in LOADING.items() for key in keys for node in page.find_all(tag, attrs={key: True})]
        loads += [("style", target) for node in page.find_all(style=True) for target in CSS_LOAD.findall(node["style"])]
        loads += [("<style>", target) for node in page.find_all("style") for target in CSS_LOAD.findall(node.get_text())]
        loads += [("<script>", target) for node in inline_scripts(page) for target in ADDRESS.findall(node.get_text())]
        loads += [("ping", node["ping"]) for node in page.find_all(ping=True)]
        faults += [f"{name}: {where} loads {target}" for where, target in loads if FOREIGN.match(target) or FOREIGN.search(target.rpartition(",")[2])]
    for sheet in sheets(site):
        faults += [f"{sheet.name} loads {target}" for target in CSS_LOAD.findall(sheet.read_text(encoding="utf-8")) if FOREIGN.match(target)]
    for script in scripts(site):
        text = script.read_text(encoding="utf-8")
        faults += [f"{script.name} loads {match[0]}" for match in SCRIPT_LOAD.finditer(text)]
        faults += [f"{script.name} names {address}" for address in ADDRESS.findall(text) if script.name == "charts.js"]
    return faults


def inline_scripts(page: BeautifulSoup) -> list[Tag]:
    """Scripts written into a page that a browser runs."""
    return [node for node in page.find_all("script", src=False) if "json" not in node.get("type", "")]


def loose_policies(site: Site) -> list[str]:
    """Pages whose content policy is missing, too weak, or forbids what the page itself needs."""
    return [f"{name}: {fault}" for name, page in site.every.items() for fault in _policy_faults(page)]


def _policy_faults(page: BeautifulSoup) -> list[str]:
    meta = page.find("meta", {"http-equiv": "Content-Security-Policy"})
    if meta is None:
        return ["no Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in meta["content"].split(";") if rule.strip()}
    allowed = [word for name, sources in rules.items() for word in sources if not (name == "style-src" and word == "'unsafe-inline'")]
    faults = [f"the policy allows {word}" for word in allowed if not re.fullmatch(r"'(self|none|sha256-[\w+/=]+)'|data:", word)]
    faults += [] if rules.get("default-src") == ["'none'"] else ["the policy does not start from default-src 'none'"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(node.get_text().encode()).digest()).decode()}'" for node in inline_scripts(page)}
    faults += [f"the policy blocks a script of the page ({fault})" for fault in sorted(hashes - set(rules.get("script-src", [])))]
    handlers = [(node.name, key) for node in page.find_all(True) for key in node.attrs if key.startswith("on")]
    return faults + [f"the policy blocks the {key} of a <{tag}>" for tag, key in handlers]


# Structure


def twin_ids(site: Site) -> list[str]:
    """Ids that a page uses twice."""
    return [f"{name}: id {key!r} stands {count} times" for name, ids in site.ids.items() for key, count in Counter(ids).items() if count > 1]


def wordless_pictures(site: Site) -> list[str]:
    """Pictures in articles without an alternative text of forty characters that is not a file name."""
    faults = []
    for name, page in site.every.items():
        for node in page.select("article img, article svg"):
            hidden = node.get("role") in ("none", "presentation") or any(parent.get("aria-hidden") == "true" for parent in [node, *node.parents])
            if hidden or node.find_parent("svg"):
                continue
            text = " ".join(node.get("alt" if node.name == "img" else "aria-label", "").split())
            if node.name == "svg" and node.get("role") != "img":
                faults.append(f"{name}: an svg is neither role=img nor hidden")
            elif len(text) < ALT_AT_LEAST or re.search(r"\.(png|svg|jpe?g|webp)$|^\S+$", text):
                faults.append(f"{name}: a picture is told only as {text!r}")
    return faults


def broken_headings(site: Site) -> list[str]:
    """Pages without exactly one h1, or whose headings skip a level."""
    faults = []
    for name, page in site.pages.items():
        levels = [int(node.name[1]) for node in on_screen(page, re.compile("^h[1-6]$"))]
        faults += [] if levels.count(1) == 1 else [f"{name}: {levels.count(1)} headings of the first level"]
        faults += [f"{name}: a heading of level {after} follows one of level {before}" for before, after in zip(levels, levels[1:]) if after > before + 1]
        faults += [f"{name}: an empty heading" for node in on_screen(page, re.compile("^h[1-6]$")) if not words(node)]
    return faults


def poor_heads(site: Site) -> list[str]:
    """Pages without language, title of their own, description or viewport."""
    titles = Counter(words(page.title) for page in site.pages.values())
    faults = []
    for name, page in site.every.items():
        description = page.find("meta", attrs={"name": "description"})
        lacks = {"language": page.html.get("lang") != "en", "title": not words(page.title)}
        if name in site.pages:
            lacks |= {"title of its own": titles[words(page.title)] > 1, "viewport": not page.find("meta", attrs={"name": "viewport"}),
                      "description": not description or len(description.get("content", "")) < 20, "<main>": len(page.find_all("main")) != 1}
        faults += [f"{name}: no {what}" for what, lacking in lacks.items() if lacking]
    return faults


def scopeless_tables(site: Site) -> list[str]:
    """Header cells that do not say what they head, and tables without header cells or without a scrolling box."""
    faults = []
    for name, page in site.pages.items():
        for table in page.find_all("table"):
            cells = table.find_all("th")
            faults += [] if cells else [f"{name}: a table without header cells"]
            faults += [f"{name}: header cell {words(cell)!r} has no scope" for cell in cells if cell.get("scope") not in ("col", "row")]
            box = table.find_parent(attrs={"role": "region", "tabindex": "0"})
            faults += [] if box and len(box.get("aria-label", "")) > 7 else [f"{name}: a table without a named box that a keyboard can scroll"]
    return faults


def raw_markup(site: Site) -> list[str]:
    """What a reader would see of a failed computation or of markup that was not read."""
    faults = []
    for name, page in site.every.items():
        for text in page.find_all(string=RAW):
            seen = not isinstance(text, Comment) and not any(parent.name in ("script", "style", "code", "pre", "head") for parent in text.parents)
            faults += [f"{name}: {text.strip()[:80]!r}"] if seen else []
    return faults


# Figures and numbers


def bare_figures(site: Site) -> list[str]:
    """Figures and tables of evidence without number, title, subtitle, drawing, source, note or data."""
    faults = []
    for name, page in site.pages.items():
        for figure in page.select(".evidence"):
            label = words(figure.select_one(".finding-title")) or figure.get("id")
            found = {part: bool(words(figure.select_one(f".{part}"))) for part in ("caption-number", "finding-title", "subtitle")}
            lines = [words(line) for line in figure.select(".furniture p")]
            found |= {part: any(re.match(rf"{part}: \S", line) for line in lines) for part in ("Source", "Note", "Data")}
            found["link to a source"] = any("references.html#source-" in a["href"] for a in figure.select(".furniture a[href]"))
            found["link to a data page"] = any("/tables/" in a["href"] for a in figure.select(".data-link a[href]"))
            found["download"] = any(a["href"].endswith(".csv") for a in figure.select(".data-link a[download]"))
            views = ["wide", "narrow"] if figure.name == "figure" else []
            found |= {f"{view} static drawing": bool(figure.select(f".chart-{view} svg[role=img] text")) for view in views}
            found["rows"] = figure.name == "figure" or len(figure.select("tbody tr")) > 0
            faults += [f"{name}: {label!r} has no {part}" for part, there in found.items() if not there]
    return faults


def wrong_numbers(site: Site) -> list[str]:
    """Figure and table numbers that are not consecutive in their chapter, or are cited wrongly somewhere."""
    numbers, faults = {}, []
    for name, page in site.pages.items():
        captions = [(node.find_parent(id=True)["id"], node.get_text().strip()) for node in page.select(".caption-number")]
        numbers |= {(name, key): number for key, number in captions}
        chapter = re.match(r"0*(\d+)-", Path(name).name)
        for kind in ("Figure", "Table"):
            shown = [number for _, number in captions if number.startswith(kind)]
            right = [f"{kind} {chapter[1] if chapter else '?'}.{position}" for position in range(1, len(shown) + 1)]
            faults += [f"{name}: numbered {shown}"] if shown != right else []
    for name, page in site.pages.items():
        for link in page.select("a:has(.std-numref)"):
            target = site.resolve(name, link["href"]).relative_to(site.folder.resolve()).as_posix() if urlsplit(link["href"]).path else name
            number = numbers.get((target, urlsplit(link["href"]).fragment))
            faults += [] if number == words(link) else [f"{name}: {words(link)!r} is cited and the caption says {number!r}"]
    return faults


def heavy_pages(site: Site) -> list[str]:
    """Pages over their budget in compressed bytes: the page itself by its figures, and all that a first visit fetches."""
    faults = []
    for name, page in site.pages.items():
        html = packed(site.folder / name)
        budget = VISIT_KB if name == REFERENCES else PAGE_KB + FIGURE_KB * len(page.select("figure.evidence"))
        faults += [f"{name}: {html:.0f} kB of {budget}"] if html > budget else []
        visit = html + sum(packed(path) for path in first_visit(site, name))
        most = REGISTER_KB if name in (REFERENCES, "search.html") else VISIT_KB
        faults += [f"{name}: a first visit fetches {visit:.0f} kB of {most}"] if visit > most else []
    return faults


def packed(path: Path) -> float:
    """Compressed size in kB; fonts are compressed already."""
    data = path.read_bytes()
    return (len(data) if path.suffix in (".woff2", ".png") else len(gzip.compress(data, mtime=0))) / 1000


def first_visit(site: Site, name: str) -> set[Path]:
    """The styles, scripts and fonts that a page fetches."""
    styles = {path for path in site.linked(name, 'link[rel~="stylesheet"][href]', "href") if path.is_file()}
    code = {path for path in site.linked(name, "script[src]", "src") if path.is_file() and path.name != LAZY}
    fonts = {(sheet.parent / urlsplit(target).path).resolve() for sheet in styles for target in CSS_LOAD.findall(sheet.read_text(encoding="utf-8"))
             if inner(target) and urlsplit(target).path.endswith((".woff2", ".woff", ".ttf"))}
    return styles | code | {font for font in fonts if font.is_file()}


# Data


def poor_data_pages(site: Site) -> list[str]:
    """Tables of the offered package without a page that has definition, caveats, terms, columns and downloads."""
    faults = []
    for resource in json.loads((site.folder / "data/datapackage.json").read_text(encoding="utf-8"))["resources"]:
        name = f"{stored.table_page(resource['name'])}.html"
        page = site.pages.get(name)
        if page is None:
            faults.append(f"{name} is missing")
            continue
        text, files = words(page.article), {site.resolve(name, a["href"]) for a in page.select("article a[download]")}
        needed = [resource[key] for key in ("question", "definition", "coverage", "processing", "terms")] + resource["caveats"]
        faults += [f"{name} does not say {sentence!r}" for sentence in needed if plain(sentence) not in text]
        columns = [words(cell) for cell in page.select("#columns tbody td:first-child, #columns tbody th:first-child")]
        faults += [] if columns == [field["name"] for field in resource["schema"]["fields"]] else [f"{name} explains the columns {columns}"]
        wanted = [f"data/{resource['name']}.csv", f"data/{resource['name']}.resource.json", "datapackage.zip"]
        faults += [f"{name} offers no {file}" for file in wanted if (site.folder / file).resolve() not in files]
    return faults


def differing_downloads(site: Site, project: Path) -> list[str]:
    """Tables and descriptors whose copy on the site or in the zip is not that of the project."""
    names = {path.relative_to(project / "data").as_posix() for path in (project / "data").rglob("*") if path.suffix in (".csv", ".json")}
    offered = {path.relative_to(site.folder / "data").as_posix(): path.read_bytes() for path in (site.folder / "data").rglob("*") if path.is_file()}
    with zipfile.ZipFile(site.folder / "datapackage.zip") as package:
        zipped = {name: package.read(name) for name in package.namelist()}
    faults = []
    for where, files in {"the site": offered, "the zip": zipped}.items():
        faults += [f"{where} lacks {name}" for name in sorted(names - set(files))] + [f"{where} has also {name}" for name in sorted(set(files) - names)]
        faults += [f"{name} differs in {where}" for name in sorted(names & set(files)) if files[name] != (project / "data" / name).read_bytes()]
    tables = {item["path"] for item in json.loads(zipped.get("datapackage.json", b'{"resources": []}'))["resources"]}
    return faults + [f"the zip lists {name} and lacks it" for name in sorted(tables - set(zipped))]


def wrong_front_page(site: Site, findings: list[dict], cards: list[dict]) -> list[str]:
    """Findings and verdicts that stand otherwise on the front page than in the notebooks."""
    page, text = site.pages[FRONT], words(site.pages[FRONT].article)
    faults = [f"the front page lacks the finding {item['id']}" for item in findings if plain(item["text"].replace("*", "")) not in text]
    shown = sorted(tuple(words(cell) for cell in row.find_all(["th", "td"])[:4]) for row in page.select(".ledger tbody tr"))
    right = sorted((card["id"], plain(card["claim"]), card["verdict"], card["confidence"] or "–") for card in cards)
    faults += [f"the front page has {row}, which no notebook stored" for row in shown if row not in right]
    return faults + [f"the front page lacks {row}" for row in right if shown.count(row) != 1]


def wrong_references(site: Site, sources: list[str]) -> list[str]:
    """Sources of the registry that do not stand exactly once, with their anchor, on the page of references."""
    anchors = Counter(node["id"].removeprefix("source-") for node in site.pages[REFERENCES].select("li.source[id]"))
    faults = [f"source {name} stands {anchors[name]} times" for name in sources if anchors[name] != 1]
    return faults + [f"source {name} is not in the registry" for name in anchors if name not in sources]


CHECKS = [dead_links, dead_style_links, dangling_references, foreign_loads, loose_policies, twin_ids, wordless_pictures, broken_headings, poor_heads,
          scopeless_tables, raw_markup, bare_figures, wrong_numbers, heavy_pages, poor_data_pages]

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'{}">"""
SVG = '<svg role="img" aria-label="{}"><text>1</text></svg>'
FIGURE = """<figure class="evidence" id="fig-a"><figcaption><span class="caption-number">Figure 4.1 </span><span class="finding-title">Up by 2</span>
<span class="subtitle">States</span></figcaption><div class="chart"><div class="chart-wide"><svg role="img"><text>1</text></svg></div><div class="chart-narrow">
<svg role="img"><text>1</text></svg></div></div><div class="furniture"><p>Source: <a href="references.html#source-a">A</a></p><p>Note: b</p>
<p class="data-link">Data: <a href="x/tables/a.html">T</a> <a download href="a.csv">CSV</a></p></div></figure>"""
BROKEN = [
    (dead_links, '<main><a href="gone.html">x</a></main>', "a.html: 'gone.html' leads nowhere"),
    (dead_links, '<main><a href="#gone">x</a></main>', "a.html: '#gone' leads nowhere"),
    (dead_links, '<main><a href="#">x</a></main>', "a.html: '#' leads nowhere"),
    (dead_links, '<a href="a.html#there">x</a><p id="here">', "a.html: 'a.html#there' leads nowhere"),
    (dead_links, '<img src="gone.png">', "a.html: 'gone.png' leads nowhere"),
    (dead_links, '<a href="../outside.html">', "a.html: '../outside.html' leads nowhere"),
    (dead_style_links, '<link rel="stylesheet" href="s.css">', "s.css: 'gone.woff2' leads nowhere"),
    (dangling_references, '<label for="gone">x</label>', "a.html: nothing has the id 'gone' that is named"),
    (dangling_references, '<svg><g clip-path="url(#clip9)"></g></svg>', "a.html: nothing has the id 'clip9' that is named"),
    (foreign_loads, '<script src="https://cdn.example/x.js"></script>', "a.html: <script src> loads https://cdn.example/x.js"),
    (foreign_loads, '<img srcset="a.png 1x, //cdn.example/b.png 2x">', "a.html: <img srcset> loads a.png 1x, //cdn.example/b.png 2x"),
    (foreign_loads, '<p style="background: url(//cdn.example/b.png)">', "a.html: style loads //cdn.example/b.png"),
    (foreign_loads, '<script>fetch("https://cdn.example/d.json")</script>', "a.html: <script> loads https://cdn.example/d.json"),
    (foreign_loads, '<link rel="stylesheet" href="s.css">', "s.css loads https://cdn.example/f.css"),
    (foreign_loads, '<script src="other.js"></script>', 'other.js loads fetch("https://cdn.example/x'),
    (foreign_loads, '<script src="charts.js"></script>', "charts.js names https://cdn.example/y"),
    (loose_policies, "<p>", "a.html: no Content-Security-Policy"),
    (loose_policies, POLICY.format(" 'unsafe-eval'"), "a.html: the policy allows 'unsafe-eval'"),
    (loose_policies, POLICY.format(" https://cdn.example"), "a.html: the policy allows https://cdn.example"),
    (loose_policies, POLICY.format("").replace("default-src 'none'; ", ""), "a.html: the policy does not start from default-src 'none'"),
    (loose_policies, POLICY.format("") + "<script>1</script>",
     "a.html: the policy blocks a script of the page ('sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=')"),
    (loose_policies, POLICY.format("") + '<button onclick="go()">', "a.html: the policy blocks the onclick of a <button>"),
    (twin_ids, '<p id="a"></p><p id="a"></p>', "a.html: id 'a' stands 2 times"),
    (wordless_pictures, "<article><img src='a.png'></article>", "a.html: a picture is told only as ''"),
    (wordless_pictures, f"<article>{SVG.format('A chart of something')}</article>", "a.html: a picture is told only as 'A chart of something'"),
    (wordless_pictures, f"<article>{SVG.format('x' * 50 + '.png')}</article>", f"a.html: a picture is told only as '{'x' * 50}.png'"),
    (wordless_pictures, "<article><svg></svg></article>", "a.html: an svg is neither role=img nor hidden"),
    (broken_headings, "<h1>a</h1><h1>b</h1>", "a.html: 2 headings of the first level"),
    (broken_headings, "<h1>a</h1><h3>b</h3>", "a.html: a heading of level 3 follows one of level 1"),
    (broken_headings, '<h1><a class="headerlink">#</a></h1>', "a.html: an empty heading"),
    (poor_heads, "<p>", "a.html: no language"), (poor_heads, "<p>", "a.html: no title"), (poor_heads, "<p>", "a.html: no description"),
    (scopeless_tables, "<table><tr><td>", "a.html: a table without header cells"),
    (scopeless_tables, "<table><tr><th>Year", "a.html: header cell 'Year' has no scope"),
    (scopeless_tables, "<table><tr><th scope=col>Year", "a.html: a table without a named box that a keyboard can scroll"),
    *[(raw_markup, f"<p>{text}</p>", f"a.html: '{text}'") for text in (
        "See {numref} there", "::: note", "$1| billion", "nan parties", "NaN", "undefined States", "rose to (None)", "None", "{glue:text}", "{older} of 19")],
    *[(bare_figures, FIGURE.replace(*change), f"a.html: {label!r} has no {part}") for *change, label, part in (
        ("Figure 4.1 ", "", "Up by 2", "caption-number"), ("Up by 2", "", "fig-a", "finding-title"), ("States", "", "Up by 2", "subtitle"),
        ("<text>1</text>", "", "Up by 2", "wide static drawing"), ("Source: ", "", "Up by 2", "Source"), ("Note: b", "Note: ", "Up by 2", "Note"),
        ("x/tables", "x", "Up by 2", "link to a data page"), ("download", "", "Up by 2", "download"), ("#source-a", "", "Up by 2", "link to a source"))],
    (wrong_numbers, FIGURE, "a.html: numbered ['Figure 4.1']"),
    (wrong_numbers, FIGURE + '<a href="#fig-a"><span class="std-numref">Figure 4.2</span></a>',
     "a.html: 'Figure 4.2' is cited and the caption says 'Figure 4.1'"),
    (heavy_pages, f"<p>{''.join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(2000))}", "a.html: 73 kB of 20"),
    (heavy_pages, '<script src="heavy.js"></script>', "a.html: a first visit fetches 292 kB of 250"),
    (poor_data_pages, "<p>", "book/tables/law-a.html is missing"),
]


@pytest.mark.parametrize(("check", "html", "fault"), BROKEN, ids=[f"{check.__name__}-{number}" for number, (check, *_) in enumerate(BROKEN)])
def test_the_checker_sees_the_fault(tmp_path, check, html, fault):
    files = {
        "a.html": f"<html>{html}</html>", "s.css": '@import "https://cdn.example/f.css"; a { src: url(gone.woff2) }', "other.js": 'fetch("https://cdn.example/x")',
        "charts.js": 'const a = "https://cdn.example/y"', "heavy.js": "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(8000)),
        "data/datapackage.json": '{"resources": [{"name": "law/a"}]}', "../outside.html": "<p>",
    }
    for name, text in files.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    assert fault in check(Site(tmp_path / "site"))


@pytest.fixture
def small(tmp_path) -> Site:
    """A site of a front page, a references page and one data page that is wrong in everything, with a project beside it."""
    resource = {"name": "law/a", "path": "law/a.csv", "question": "When?", "definition": "Day of deposit.", "coverage": "All.", "processing": "Copied.",
                "terms": "Open.", "caveats": ["Ends early."], "schema": {"fields": [{"name": "iso3"}]}}
    files = {
        "site/book/index.html": '<article><p>The <b>law</b> was there.</p><div class="ledger"><table><tbody><tr><th>LEG-01</th><td>C</td><td>Supported</td><td>High</td></tr></tbody></table></div></article>',
        "site/book/references.html": '<li class="source" id="source-a"></li><li class="source" id="source-a"></li><li class="source" id="source-z"></li>',
        "site/book/tables/law-a.html": "<article><p>When? Day of deposit. All. Copied. Open.</p></article>",
        "site/data/datapackage.json": json.dumps({"resources": [resource]}), "site/data/law/a.csv": "a\n1\n", "data/law/a.csv": "a\n2\n", "data/law/b.csv": "b\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with zipfile.ZipFile(tmp_path / "site/datapackage.zip", "w") as package:
        package.writestr("law/a.csv", "a\n2\n")
        package.writestr("datapackage.json", '{"resources": [{"path": "law/c.csv"}]}')
    return Site(tmp_path / "site")


def test_a_poor_data_page_is_seen(small):
    assert poor_data_pages(small) == [
        "book/tables/law-a.html does not say 'Ends early.'", "book/tables/law-a.html explains the columns []", "book/tables/law-a.html offers no data/law/a.csv",
        "book/tables/law-a.html offers no data/law/a.resource.json", "book/tables/law-a.html offers no datapackage.zip"]


def test_differing_downloads_are_seen(small, tmp_path):
    assert differing_downloads(small, tmp_path) == [
        "the site lacks law/b.csv", "the site has also datapackage.json", "law/a.csv differs in the site", "the zip lacks law/b.csv",
        "the zip has also datapackage.json", "the zip lists law/c.csv and lacks it"]


def test_a_wrong_front_page_is_seen(small):
    card = {"id": "LEG-01", "claim": "C", "verdict": "Supported", "confidence": None}
    assert wrong_front_page(small, [{"id": "finding-a", "text": "The **law** was there."}], [card | {"confidence": "High"}]) == []
    assert wrong_front_page(small, [{"id": "finding-a", "text": "The law was **not** there."}], [card]) == [
        "the front page lacks the finding finding-a", "the front page has ('LEG-01', 'C', 'Supported', 'High'), which no notebook stored",
        "the front page lacks ('LEG-01', 'C', 'Supported', '–')"]


def test_wrong_references_are_seen(small):
    assert wrong_references(small, ["a", "b"]) == ["source a stands 2 times", "source b stands 0 times", "source z is not in the registry"]


# The product


@pytest.fixture(scope="module")
def built(site) -> Site:
    """The site as it was built."""
    return Site(site)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_site_has_no(check, built):
    faults = check(built)
    assert not faults, "\n".join(faults[:40])


def test_a_row_without_a_head_takes_the_one_above():
    rows = outputs._headed([["Blocs", "1"], ["", "2"], ["States", "3"]])
    assert [row[0] if isinstance(row[0], str) else (row[0].astext(), row[0]["classes"]) for row in rows] == ["Blocs", ("Blocs", ["again"]), "States"]
    assert outputs._headed([["", "1"]]) == [["", "1"]], "a first head that is empty stays so"


def test_a_card_says_why_a_test_met_in_part_shows_nothing():
    assert outputs._outcome({"outcome": "partly", "verdict": "Not shown"}) == "meets part of the test, which is too weak to decide the claim"
    assert outputs._outcome({"outcome": "partly", "verdict": "Mixed", "threshold": "at least 2"}) == "meets part of the test (at least 2)"


def test_two_columns_of_many_words_are_told_row_by_row(site):
    tables = re.findall(r'<table class="([^"]*)" id="(tbl-[a-z-]+)"', (site / "notebooks/06-joint-operations.html").read_text(encoding="utf-8"))
    assert {"tbl-reviews", "tbl-frictions"} <= {name for classes, name in tables if "wordy" in classes}, tables


def test_code_without_a_span_has_the_colour_that_its_span_had(built):
    style = (built.folder / "_static/pygments.css").read_text(encoding="utf-8")
    plain = re.findall(r"\.highlight \{[^}]*\bcolor: (#\w+)", style)
    assert len(plain) == 2, "a light and a dark style"
    for name in ("n", "p", "w"):
        assert re.findall(rf"\.highlight \.{name} \{{ color: (#\w+)", style) == plain


def test_the_site_is_whole(built, root):
    chapters = {f"{path.relative_to(root).with_suffix('')}.html" for path in stored.notebooks(root)}
    pages = {f"book/{path.stem}.html" for path in (root / "book").glob("*.md")}
    assert chapters | pages | {"index.html", SEARCH} <= set(built.every)
    downloads = {built.resolve(name, link["href"]) for name, page in built.pages.items() for link in page.select("a[download]")}
    wanted = [*(path.relative_to(root) for path in stored.notebooks(root)), "datapackage.zip"]
    assert not [name for name in wanted if (built.folder / name).resolve() not in downloads], "a chapter or the data package cannot be taken away"
    figures = [item.content["id"] for item in stored.figures(root)]
    shown = [node.get("id") or node.table["id"] for name in sorted(chapters) for node in built.pages[name].select(".evidence")]
    assert shown == figures and figures, "the chapters show other figures than their notebooks hold"


def test_what_readers_download_is_the_data_of_the_project(built, root):
    assert differing_downloads(built, root) == []


def test_the_front_page_says_what_the_notebooks_say(built, root):
    findings, cards = ([item.content for item in stored.outputs(root, kind)] for kind in (stored.FINDING, stored.VERDICT))
    assert findings and cards
    assert wrong_front_page(built, findings, cards) == []


def test_every_source_stands_once_in_the_references(built, root):
    assert wrong_references(built, [row["source_id"] for row in stored.rows(root, "sources")]) == []


def test_a_search_index_is_there_and_knows_the_chapters(built, root):
    index = (built.folder / "searchindex.js").read_text(encoding="utf-8")
    assert all(f'"{path.relative_to(root).with_suffix("").as_posix()}"' in index for path in stored.notebooks(root))


def test_the_tally_counts_claims_once_and_parts_by_themselves():
    import listings

    judged = [{"id": "A-01a", "parent": "A-01", "verdict": "Contradicted"}, {"id": "A-01b", "parent": "A-01", "verdict": "Supported"}, {"id": "B-01", "verdict": "Supported"}]
    assert listings.tally(judged, 93) == "2 of 93 claims are judged so far, in 3 parts: 2 supported, 1 contradicted."
    assert listings.tally(judged[2:], 1) == "1 of 1 claims are judged: 1 supported." and listings.tally([], 93).startswith("None")
