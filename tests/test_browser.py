"""Pages in a browser, opened as files with the network off: sound in every form, and what can be touched answers.

Checkers look at an open page and return its faults in words; each is shown to see a fault before it looks at the product.
"""
import io
from itertools import pairwise
from pathlib import Path

import pytest
import stored
from axe_playwright_python.sync_playwright import Axe

FRONT, CHAPTER, SEARCH = "book/index.html", "notebooks/04-legal-frameworks.html", "search.html?q=financing"
CHAPTERS = [f"notebooks/{path.stem}.html" for path in stored.notebooks(Path(__file__).resolve().parents[1])]
PAGES = [FRONT, *CHAPTERS, "book/tables/legal-treaty_actions.html", "book/methods.html", "book/references.html", SEARCH]
WIDE, PHONE = 1280, 390
SMALLEST = 11
CONTRAST = 4.5
UNFOLDED = 4
ALIKE = "ul.sources > li:nth-child(n + 11), .evidence-table tbody tr:nth-child(n + 4)"  # entries and rows like those before them, of which there are thousands
AXE = {"preload": False, "resultTypes": ["violations"]}  # preloading would fetch the style sheets again
NO_COLOURS = {"rules": {name: {"enabled": False} for name in ("color-contrast", "link-in-text-block")}}
PICKED = "figure:has(.chart-picker)"

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth, faults = [];
  if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} px wide on ${width}`);
  const boxed = (node) => { for (let up = node.parentElement; up !== document.body; up = up.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true; return false; };
  for (const node of document.querySelectorAll("article *")) {
    const box = node.getBoundingClientRect();
    if (box.width && box.right > width + 1 && !boxed(node)) faults.push(`<${node.localName}> ${(node.id || node.className.baseVal || node.className)} ends at ${Math.round(box.right)} px`);
  }
  return faults;
}"""
SMALL_TEXT = """(smallest) => [...document.querySelectorAll(".chart svg text, article p, article td, article th, article .subtitle")].flatMap((node) => {
  const box = node.getBoundingClientRect(), matrix = node.getScreenCTM ? node.getScreenCTM() : null;
  if (!box.width || !node.textContent.trim()) return [];
  const size = parseFloat(getComputedStyle(node).fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
  return size < smallest - 0.05 ? [`${node.textContent.trim().slice(0, 40)}: ${size.toFixed(1)} px`] : [];
})"""
CLIPPED_TEXT = """() => [...document.querySelectorAll(".chart svg")].filter((svg) => svg.getBoundingClientRect().width).flatMap((svg) => {
  const view = svg.closest(".chart-view, .chart-live").getBoundingClientRect(), page = document.documentElement.clientWidth;
  return [...svg.querySelectorAll("text")].flatMap((node) => {
    const box = node.getBoundingClientRect();
    if (!box.width || !node.textContent.trim()) return [];
    return box.left < view.left - 2 || box.right > Math.min(view.left + view.width, page) + 2 ? [`${svg.closest("figure").id}: '${node.textContent}' is cut off`] : [];
  });
})"""

PALE_TEXT = """(least) => {
  const light = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "var(--pst-color-background, white)";
  const paper = getComputedStyle(probe).color;
  probe.remove();
  const under = (node) => { const box = node.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    const bars = [...node.ownerSVGElement.querySelectorAll(".mark-rect path")].filter((bar) => { const area = bar.getBoundingClientRect();
      return area.left <= x && x <= area.right && area.top <= y && y <= area.bottom && getComputedStyle(bar).fill !== "none" });
    return bars.length ? getComputedStyle(bars.at(-1)).fill : paper; };
  return [...document.querySelectorAll(".chart svg text")].flatMap((node) => {
    const style = getComputedStyle(node);
    if (!node.getBoundingClientRect().width || !node.textContent.trim() || style.opacity * style.fillOpacity === 0) return [];
    const [more, less] = [light(style.fill), light(under(node))].sort((one, two) => two - one), ratio = (more + 0.05) / (less + 0.05);
    return ratio < least || style.opacity * style.fillOpacity < 0.7
      ? [`${node.closest("figure").id}: '${node.textContent}' in ${style.fill} on ${under(node)} has a contrast of ${ratio.toFixed(1)}`] : [];
  });
}"""


# Checkers


def watch(page) -> list[str]:
    """A list that fills with every request to elsewhere, console error and script error of a page."""
    found = []
    page.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or found.append(f"request to {request.url}"))
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("console", lambda message: message.type == "error" and found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    return found


def overflow(page) -> list[str]:
    """What reaches over the right edge and cannot be scrolled in a box of its own."""
    return page.evaluate(OVERFLOW)


def small_text(page) -> list[str]:
    """Text in charts and articles smaller than it may be, as it is really drawn."""
    return page.evaluate(SMALL_TEXT, SMALLEST)


def clipped_text(page) -> list[str]:
    """Text in a chart that does not fit into its drawing."""
    return page.evaluate(CLIPPED_TEXT)


def barriers(page, rules: dict | None = None, part: str = "html") -> list[str]:
    """What axe-core finds serious or critical in a part of the page."""
    hidden = page.add_style_tag(content=f".chart-view svg > g, {ALIKE} {{ display: none !important }}")  # what an image is drawn with says nothing, and takes seconds
    violations = Axe().run(page, context={"include": [part]}, options=AXE | (rules or {})).response["violations"]
    hidden.evaluate("(style) => style.remove()")
    return [f"{item['id']} ({item['impact']}): {item['nodes'][0]['html'][:200]} and {len(item['nodes']) - 1} more"
            for item in violations if item["impact"] in ("serious", "critical")]


def pale_text(page) -> list[str]:
    """Text in charts, which axe-core does not judge, with too little contrast to the page or to the bar it stands on."""
    return page.evaluate(PALE_TEXT, CONTRAST)


def unseen(page, selector: str) -> list[str]:
    """Drawings that take no room or show (the first four are looked at) fewer than a handful of colours."""
    from PIL import Image

    faults = []
    for number, node in enumerate(page.locator(selector).all()):
        box = node.bounding_box()
        if not box or box["width"] < 200 or box["height"] < 60:
            faults.append(f"a drawing takes {box}")
        elif number < 4 and len(Image.open(io.BytesIO(node.screenshot())).convert("RGB").quantize(64).getcolors()) < 5:
            faults.append("a drawing is blank")
    return faults


# The checkers see faults


BROKEN = {
    "request": (watch, "<img src='https://elsewhere.example/a.png'>", "request to https://elsewhere.example/a.png"),
    "missing file": (watch, "<script src='gone.js'></script>", "failed: "),
    "script error": (watch, "<script>nothing()</script>", "script: nothing is not defined"),
    "console error": (watch, "<script>console.error('oh')</script>", "console: oh"),
    "wide page": (overflow, "<article><p style='width: 500px'>x</p></article>", "the page is 508 px wide on 390"),
    "hidden": (overflow, "<style>html { overflow-x: hidden }</style><article><p id=a style='position: fixed; left: 300px; width: 200px'>x</p></article>", "<p> a ends at 500 px"),
    "small text": (small_text, "<div class=chart><svg width=100 viewBox='0 0 200 100'><text y=50 font-size=20>Year</text></svg></div>", "Year: 10.0 px"),
    "small rotated text": (small_text, "<div class=chart><svg viewBox='0 0 780 100'><text font-size=12 transform='translate(20,20) rotate(-90)'>States</text></svg></div>", "States: 5.8 px"),
    "clipped text": (clipped_text, "<figure id=f><div class='chart'><div class=chart-view><svg width=370><text x=340 y=20>Convention</text></svg></div></div></figure>", "f: 'Convention' is cut off"),
    "pale text": (pale_text, "<figure id=f><div class=chart><svg width=370><text x=9 y=20 fill='#009e73'>Bombings</text></svg></div></figure>",
                  "f: 'Bombings' in rgb(0, 158, 115) on rgb(255, 255, 255) has a contrast of 3.4"),
    "pale text on a bar": (pale_text, "<figure id=f><div class=chart><svg width=370><g class=mark-rect><path d='M0,0h99v40h-99z' fill='#d55e00' /></g><text x=9 y=20 fill=white>57</text></svg></div></figure>",
                           "f: '57' in rgb(255, 255, 255) on rgb(213, 94, 0) has a contrast of 3.9"),
    "barrier": (barriers, "<img src='data:,'>", "image-alt (critical): "),
    "contrast": (barriers, "<p style='color: #bbb'>Pale words</p>", "color-contrast (serious): "),
    "blank": (lambda page: unseen(page, "svg"), "<svg width=300 height=100></svg>", "a drawing is blank"),
    "no room": (lambda page: unseen(page, "svg"), "<svg width=10 height=10></svg>", "a drawing takes "),
}


@pytest.fixture(scope="module")
def blank(browser):
    """A browser of the size of a phone, offline, for broken samples."""
    context = browser.new_context(offline=True, viewport={"width": PHONE, "height": 600})
    yield context
    context.close()


@pytest.mark.parametrize("case", BROKEN)
def test_the_checker_sees_the_fault(case, blank, tmp_path):
    check, html, fault = BROKEN[case]
    page = blank.new_page()
    (tmp_path / "a.html").write_text(f"<!DOCTYPE html><html lang=en><title>A</title><body style='margin: 8px'>{html}</body></html>")
    found = check(page) if check is watch else []
    page.goto((tmp_path / "a.html").as_uri())
    found += check(page) if check is not watch else []
    page.close()
    assert any(words.startswith(fault) for words in found), found


# Every page in every form


@pytest.fixture(scope="module")
def contexts(browser):
    """One browser context for each form, offline."""
    made = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(browser, site, contexts):
    """Open pages of the site in a form: width, theme, with or without scripts; each with the list of its complaints."""
    pages = []

    def open_page(name, width=WIDE, theme="light", scripts=True, apart=""):
        form = (width, theme, scripts, apart)  # `apart` keeps what a test stores from the others
        if form not in contexts:
            contexts[form] = browser.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=scripts)
        page = contexts[form].new_page()
        pages.append(page)
        page.set_default_timeout(8000)
        complaints = watch(page)
        path, _, query = name.partition("?")
        page.goto((site / path).as_uri() + (f"?{query}" if query else ""))
        return page, complaints

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_sound_at_both_widths(name, open_page):
    page, faults = open_page(name)
    faults += pale_text(page)
    for width in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        faults += [f"{width} px: {fault}" for fault in overflow(page) + small_text(page) + clipped_text(page)]
    unfold(page)
    faults += barriers(page)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_sound_in_the_dark(name, open_page):
    """At the width at which the light theme is not: a colour does not hang on the width, nor a place on the theme."""
    page, faults = open_page(name, theme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    faults += pale_text(page)
    page.set_viewport_size({"width": PHONE, "height": 900})
    unfold(page)
    faults += barriers(page)
    assert not faults, "\n".join(faults)


def unfold(page) -> None:
    """Open some of the code, for its colours."""
    page.evaluate(f"[...document.querySelectorAll('article details')].slice(0, {UNFOLDED}).forEach((node) => {{ node.open = true }})")


@pytest.mark.parametrize("name", CHAPTERS)
def test_charts_are_seen_without_scripts(name, open_page):
    page, complaints = open_page(name, scripts=False)
    assert page.locator("figure.evidence").count() == page.locator(".chart-wide:visible svg").count() > 0
    assert unseen(page, ".chart-wide svg") == []
    assert page.locator(".chart-picker:visible").count() == 0, "a menu that can do nothing is shown"
    assert complaints == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chart_becomes_live_when_it_is_touched(name, width, open_page):
    page, faults = open_page(name, width)
    before = heights(page)
    for number, chart in enumerate(page.locator(".chart").all()):
        if number == 0:
            chart.hover()
        else:
            chart.dispatch_event("touchstart")
        chart.locator(".chart-live svg").wait_for(state="visible")
        assert chart.locator(".chart-live svg").get_attribute("aria-label") == chart.get_attribute("data-alt")
    assert not page.locator(".chart-view:visible").count(), "static and live drawing stand side by side"
    faults += [f"{name} jumps from {before[name]:.0f} to {height:.0f} px when it is touched" for name, height in heights(page).items() if abs(height - before[name]) > 12]
    faults += overflow(page) + small_text(page) + clipped_text(page) + (barriers(page, NO_COLOURS, "article") if width == WIDE else [])
    assert not faults, "\n".join(faults)


def heights(page) -> dict[str, float]:
    """How much room each chart takes."""
    return page.evaluate("() => Object.fromEntries([...document.querySelectorAll('.chart')].map((chart) => [chart.closest('figure').id, chart.getBoundingClientRect().height]))")


def test_a_tooltip_names_the_point_under_the_pointer(open_page):
    page, _ = open_page(CHAPTER)
    chart = page.locator("#fig-instruments .chart")
    assert page.locator(".vg-tooltip.visible").count() == 0
    chart.hover()
    chart.locator(".chart-live svg").wait_for(state="visible")
    chart.locator(".chart-live .mark-symbol path").first.hover()
    tooltip = page.locator(".vg-tooltip.visible")
    tooltip.wait_for(state="visible")
    assert any(character.isdigit() for character in tooltip.inner_text()) and len(tooltip.inner_text()) > 8


def drawn(page) -> str:
    """All words of the live chart that has a picker."""
    return page.locator(f"{PICKED} .chart-live svg").text_content()


def test_the_picker_changes_the_drawing_by_mouse(open_page):
    page, complaints = open_page(CHAPTER)
    menu = page.locator(f"{PICKED} select")
    assert menu.locator("option").count() > 190, "the menu lacks States"
    seen = []
    for country in ("AFG", "FRA", "FRA", "PRK"):
        menu.select_option(country)
        page.locator(f"{PICKED} .chart-live svg").wait_for(state="visible")
        page.wait_for_timeout(150)
        seen.append(drawn(page))
    assert seen[1] == seen[2]
    assert seen[0] != seen[1] != seen[3] != seen[0], "another State shows the same dates"
    assert all(any(character.isdigit() for character in text) for text in seen)
    assert complaints == []


def test_the_picker_works_with_the_keyboard_alone(open_page):
    page, complaints = open_page(CHAPTER)
    focused = f"() => document.activeElement === document.querySelector('{PICKED} select')"
    page.evaluate(f"""() => {{ const menu = document.querySelector('{PICKED} select'); [...document.querySelectorAll("main a[href]")].filter((link) =>
        getComputedStyle(link).visibility === "visible" && link.compareDocumentPosition(menu) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1).focus() }}""")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate(focused):
            break
    assert page.evaluate(focused), "the Tab key does not lead from the text before the figure to its menu"
    page.locator(f"{PICKED} .chart-live svg").wait_for(state="visible")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow")
    assert outline != "nonenone", "the focus is not shown"
    texts = [drawn(page)]
    for key in ("ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        texts.append(drawn(page))
    assert all(one != other for one, other in pairwise(texts)), "the arrow keys do not change the drawing"
    assert complaints == []


def test_the_dark_button_changes_the_text_of_charts(open_page):
    page, complaints = open_page(CHAPTER, apart="dark button")
    colour = "() => getComputedStyle([...document.querySelectorAll('#fig-instruments svg text')].find((node) => node.getBoundingClientRect().width)).fill"
    light, button = page.evaluate(colour), page.locator(".theme-switch-button:visible").first
    for step in ("static", "live"):
        if step == "live":
            page.locator("#fig-instruments .chart").hover()
            page.locator("#fig-instruments .chart-live svg").wait_for(state="visible")
        seen = {}
        for _ in range(3):
            button.click()
            seen[page.evaluate("document.documentElement.dataset.theme")] = page.evaluate(colour)
        assert seen["light"] == light and seen["dark"] != light, f"{step}: {seen}"
    assert complaints == []


# Finding one's way


def test_search_finds_words_of_the_chapter(open_page):
    page, complaints = open_page(SEARCH)
    for place in ("04-legal-frameworks.html", "/tables/"):
        page.locator(f"#search-results li a[href*='{place}']").first.wait_for(state="visible")
    page.locator("#search-results li a[href*='04-legal-frameworks.html']").first.click()
    page.wait_for_url("**/04-legal-frameworks.html*")
    assert complaints == []


def test_search_says_when_it_finds_nothing(open_page):
    page, _ = open_page("search.html?q=zyxwv")
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator("#search-results li a").count() == 0


def test_the_search_button_opens_a_field_that_leads_to_results(open_page):
    page, complaints = open_page(FRONT)
    page.locator(".search-button:visible, .search-button-field:visible").first.click()
    page.keyboard.type("financing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=financing*")
    page.locator("#search-results li a").first.wait_for(state="visible")
    assert complaints == []


def test_the_root_leads_to_the_front_page(open_page):
    page, _ = open_page("index.html")
    page.wait_for_url("**/book/index.html")


def test_the_skip_link_is_the_first_stop_and_leads_to_the_text(open_page):
    page, _ = open_page(CHAPTER)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to main content"
    page.wait_for_function("() => document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)"), "the next stop is not in the text"


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_every_visible_button_does_something(width, open_page):
    page, complaints = open_page(FRONT, width, apart="buttons")
    state = "() => document.documentElement.outerHTML.length + document.documentElement.dataset.mode + [...document.querySelectorAll('input[type=checkbox]')].map((box) => box.checked) + document.activeElement.id + document.querySelectorAll('.show').length"
    for button in page.locator("button:visible").all():
        name = button.get_attribute("aria-label") or button.get_attribute("title") or button.inner_text().strip()
        assert name, "a button without a name"
        before = page.evaluate(state)
        button.click()
        page.wait_for_timeout(60)
        assert page.evaluate(state) != before, f"the button {name!r} does nothing"
        page.goto(page.url)
    assert complaints == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_wordy_table_is_told_row_by_row_on_a_phone(name, open_page):
    page, _ = open_page(name, PHONE)
    tables = page.locator("table.wordy").evaluate_all(
        """(tables) => tables.map((table) => { const box = table.parentElement; const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
           const told = [...table.querySelectorAll("tbody tr")[0].querySelectorAll("td")].map((cell) => getComputedStyle(cell, "::before").content);
           return { title: table.caption.textContent, heads: heads.slice(1).map((head) => `"${head}: "`), told, wide: box.scrollWidth > box.clientWidth + 1 } })""")
    assert tables
    for table in tables:
        assert not table["wide"], f"{table['title']} is cut"
        assert [told.replace('" "', "") for told in table["told"]] == table["heads"], table["title"]


def test_tables_scroll_inside_their_box_on_a_phone(open_page):
    page, _ = open_page(CHAPTER, PHONE)
    boxes = page.locator(".pst-scrollable-table-container").evaluate_all(
        """(boxes) => boxes.map((box) => { box.scrollLeft = 9999;
           return { wide: box.scrollWidth > box.clientWidth, moved: box.scrollLeft > 0, right: box.getBoundingClientRect().right, focus: box.tabIndex } })""")
    assert any(box["wide"] for box in boxes)
    assert all(box["right"] <= PHONE and box["focus"] == 0 and box["moved"] == box["wide"] for box in boxes)


def test_print_hides_what_only_a_screen_needs(open_page):
    page, _ = open_page(CHAPTER)
    page.emulate_media(media="print")
    shown = [name for name in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header", ".bd-header-article", ".prev-next-footer", "#pst-back-to-top",
                               ".search-button-field", ".headerlink", ".chart-picker", ".skip-link") if page.locator(f"{name}:visible").count()]
    assert shown == [], f"printed: {shown}"
    assert page.locator("h1:visible").count() == 1, "the title is printed more than once"
    assert page.locator(".chart-wide svg:visible").count() == page.locator("figure.evidence").count()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_print_of_the_dark_theme_is_dark_on_white(open_page):
    page, _ = open_page(CHAPTER, theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    lightness = page.evaluate("""() => ["article p", "#fig-instruments .chart-wide svg text", "article h1"].map((name) => {
        const style = getComputedStyle(document.querySelector(name));
        return Math.max(...(name.includes("svg") ? style.fill : style.color).match(/\\d+/g).slice(0, 3)) })""")
    assert all(value < 130 for value in lightness), f"words are printed light: {lightness}"
