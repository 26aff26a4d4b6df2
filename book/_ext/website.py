"""The site as its readers meet it: no dead buttons, no foreign addresses, a strict content policy, files to take away."""
from __future__ import annotations

import base64
import hashlib
import re
import shutil
import zipfile
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import stored
from site_links import PACKAGE, PDF

FOREIGN = ("THEBE_JS_URL", "sphinx-thebe")
POLICY = ("default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
          "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'")
# Markup of the theme that a page opened from a file, or a strict policy, cannot use.
UNUSABLE = (
    r'\s*<script[^>]*(?:scripts/fontawesome|fontawesome/[^"]*js/all\.min)\.js[^>]*></script>',
    r'\s*<link rel="preload"[^>]*>',
    r'\s*<script type="text/x-thebe-config">.*?</script>',
    r"\s*<script>kernelName = .*?</script>",
)
# What a screen reader needs and the theme leaves out.
NAMES = (
    ('<summary><span class="toctree-toggle"', '<summary aria-label="Pages of this part"><span class="toctree-toggle"'),
    ('<div class="bd-sidebar-primary', '<div role="complementary" aria-label="Book" class="bd-sidebar-primary'),
)
EXECUTABLE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)[^>]*>(.*?)</script>", re.S)
GLYPHS = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
ICON = re.compile(r"\bfa-([a-z0-9-]+)")
ICON_STYLE = (
    "/* Font Awesome Free 6.5.2, fontawesome.com: icons CC BY 4.0, font SIL OFL 1.1, code MIT; cut to the icons used here */\n"
    '@font-face{font-family:"Font Awesome 6 Free";font-weight:900;font-display:block;src:url(../webfonts/fa-solid-900.woff2) format("woff2")}\n'
    '.fas,.fa-solid{font-family:"Font Awesome 6 Free";font-weight:900;font-style:normal;line-height:1;display:inline-block;-webkit-font-smoothing:antialiased}\n'
    ".fa-lg{font-size:1.25em;line-height:.05em;vertical-align:-.075em}\n"
)
PLAIN_CODE = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')  # names, punctuation and blanks have the colour of all code
ZIP_DATE = (2000, 1, 1, 0, 0, 0)


def _prepare_page(app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Drop what leads nowhere from the template's context, and add what describes the page."""
    for key in ("script_files", "css_files"):
        context[key] = [item for item in context.get(key, []) if not _foreign(item)]
    context["header_buttons"] = _download_button(app, pagename, context)
    tags = context.get("metatags", "")
    if 'name="description"' not in tags:
        tags += _tag("description", _description(doctree) or app.config.html_title)
    context["metatags"] = tags + _citation_tags(app, context)


def _foreign(item: object) -> bool:
    text = f"{getattr(item, 'filename', item)}{getattr(item, 'attributes', '')}"
    return any(word in text for word in FOREIGN)


def _download_button(app: Sphinx, pagename: str, context: dict) -> list[dict]:
    """The header's one button: the notebook of a chapter."""
    if not (Path(app.srcdir) / f"{pagename}.ipynb").is_file():
        return []
    url = context["pathto"](f"{pagename}.ipynb", 1)
    return [{"type": "link", "url": url, "text": "Notebook", "icon": "fas fa-download",
             "tooltip": "Download this chapter as a notebook (.ipynb)", "label": "download-notebook"}]


def _citation_tags(app: Sphinx, context: dict) -> str:
    cited = stored.citation(Path(app.srcdir))
    tags = [("citation_title", cited["title"]), ("citation_language", "en"),
            ("citation_publication_date", str(cited["date-released"]).replace("-", "/"))]
    tags += [("citation_author", author) for author in stored.authors(cited)]
    if app.config.report_pdf:
        tags.append(("citation_pdf_url", context["pathto"](PDF, 1)))
    return "".join(_tag(*tag) for tag in tags)


def _tag(name: str, content: str) -> str:
    return f'\n<meta name="{name}" content="{escape(content, quote=True)}">'


def _description(doctree: nodes.document | None) -> str:
    """The first words of a page, for those who list it."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        words = " ".join(paragraph.astext().split())
        if len(words) > 40:
            return words if len(words) <= 200 else words[:199].rsplit(" ", 1)[0] + "…"
    return ""


def finish_page(text: str) -> str:
    """One written page, without unusable markup and with its content policy. Repeating it changes nothing."""
    for pattern in UNUSABLE:
        text = re.sub(pattern, "", text, flags=re.S)
    for nameless, named in NAMES:
        text = text.replace(nameless, named)
    text = PLAIN_CODE.sub(r"\1", text)
    text = re.sub(r'(id="search-input".*)id="search-input"', r'\1id="search-page-input"', text, flags=re.S)
    text = re.sub(r'(<a href="[^"]*\.ipynb") target="_blank"', r"\1 download", text)
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?', "", text)
    scripts = dict.fromkeys(match[1] for match in EXECUTABLE.finditer(text))
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(hashes=hashes).replace(" ;", ";")}">\n'
    return re.sub(r"(<meta charset=[^>]*>\n?)", lambda match: match[1] + policy, text, count=1)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def write_package(data: Path, target: Path) -> None:
    """Zip the data folder so that the same tables give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(item for item in data.rglob("*") if item.suffix in (".csv", ".json")):
            entry = zipfile.ZipInfo(path.relative_to(data).as_posix(), ZIP_DATE)
            entry.external_attr = 0o644 << 16
            package.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def publish_files(root: Path, site: Path) -> None:
    """Copy to the site what readers may take away: tables, package, notebooks, citation file."""
    shutil.rmtree(site / "data", ignore_errors=True)
    shutil.copytree(root / "data", site / "data", ignore=lambda folder, names: [
        name for name in names if not (Path(folder, name).is_dir() or name.endswith((".csv", ".json")))])
    write_package(root / "data", site / PACKAGE)
    (site / "notebooks").mkdir(exist_ok=True)
    for path in [*stored.notebooks(root), root / "CITATION.cff"]:
        shutil.copyfile(path, site / path.relative_to(root))


def entry_page(title: str, first: str) -> str:
    """The page at the root of the site, which leads to the front page."""
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
            f'<meta http-equiv="refresh" content="0; url={first}">\n</head>\n'
            f'<body><p><a href="{first}">{escape(title)}</a></p></body>\n</html>\n')


def keep_icons(site: Path) -> None:
    """Cut the theme's icon font and its style sheet down to the icons that pages and scripts of the site name."""
    from fontTools import subset

    style = next(site.glob("_static/vendor/fontawesome/*/css/all.min.css"))
    named = set().union(*(ICON.findall(path.read_text(encoding="utf-8")) for path in [*site.rglob("*.html"), *site.glob("_static/scripts/*.js")]))
    rules = {name: code for names, code in GLYPHS.findall(style.read_text(encoding="utf-8"))
             for name in re.findall(r"\.fa-([a-z0-9-]+):before", names) if name in named}
    if not rules:
        return
    font = next(style.parent.parent.glob("webfonts/fa-solid-900.woff2"))
    options = subset.Options(flavor="woff2", notdef_outline=True)
    drawn = subset.load_font(str(font), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[int(code, 16) for code in rules.values()])
    cutter.subset(drawn)
    subset.save_font(drawn, str(font), options)
    for other in font.parent.iterdir():
        if other != font:
            other.unlink()
    shutil.rmtree(style.parent.parent / "js", ignore_errors=True)
    style.write_text(ICON_STYLE + "".join(f'.fa-{name}:before{{content:"\\{code}"}}\n' for name, code in sorted(rules.items())), encoding="utf-8")


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    entry = entry_page(app.config.html_title, f"{app.config.root_doc}.html")
    (site / "index.html").write_text(entry, encoding="utf-8")
    for page in site.rglob("*.html"):
        if "_static" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        finished = finish_page(text)
        if finished != text:
            page.write_text(finished, encoding="utf-8")
    keep_icons(site)
    publish_files(Path(app.srcdir), site)


def _index_site_alone(app: Sphinx) -> None:
    """The single page, which is made for print, needs no index of its words."""
    if app.builder.name == "singlehtml":
        app.builder.search = False


def read_since_written(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The pages that another builder has read again since their HTML was written; Sphinx alone would leave them as they were."""
    if app.builder.name != "html":
        return []
    pairs = {name: (Path(app.doctreedir, f"{name}.doctree"), Path(app.builder.get_outfilename(name))) for name in env.found_docs}
    return [name for name, (read, written) in pairs.items() if written.exists() and read.stat().st_mtime_ns > written.stat().st_mtime_ns]


def _extensions_digest() -> str:
    """Changes when any of our extensions does, so that Sphinx reads the book again."""
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()


def setup(app: Sphinx) -> dict:
    """Connect after the theme, which adds its buttons at priority 501."""
    app.add_config_value("report_extensions", _extensions_digest(), "env", str)
    app.connect("builder-inited", _index_site_alone)
    app.connect("html-page-context", _prepare_page, priority=900)
    app.connect("env-get-updated", read_since_written)
    app.connect("build-finished", _finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
