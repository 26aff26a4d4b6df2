"""Vega-Lite specifications as a page and as paper draw them: pure functions, no Sphinx."""
from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from html import escape
from pathlib import Path

import vl_convert as vlc

# Colours of the notebooks' chart theme that must follow the reader's light or dark page.
PAGE_COLOURS = {
    '"#333333"': '"currentColor"',
    '"#d9d9d9"': '"var(--pst-color-border)"',
    '"white"': '"var(--pst-color-background)"',
}
TALLER_ROWS, LOWER_IN_PRINT = 1.4, 0.78
# What a drawing says at length and a page does not need: roles of parts, defaults, digits below a tenth of a pixel.
SHORTER = (
    (r' (?:role="graphics-|aria-roledescription="|aria-hidden="|pointer-events=")[^"]*"', ""),
    (r' (?:opacity="1"|fill-opacity="1"|stroke-width="0"|font-family="[^"]*")', ""),
    (r'<path class="(?:background|foreground)"[^>]*(?:d=""|d="M0,0h0v0h0Z")[^>]*/>', ""),
    (r"(\d\.\d)\d+", r"\1"),
)
PRINT_WIDTH_MM = 164
_ahead: dict[Path, Future] = {}
PIXEL_MM = 0.235


def plain(spec: dict, picker: dict | None = None) -> dict:
    """The spec without what the page prints itself (title, menu) and with rows instead of CSV text.

    `picker` is the figure's picker of the output contract; its parameter loses its own control.
    """
    spec = copy.deepcopy(spec)
    for key in ("title", "usermeta", "background"):
        spec.pop(key, None)
    spec["config"] = {**spec.get("config", {}), "background": None, "aria": False}
    for param in spec.get("params", []):
        if picker and param.get("name") == picker["param"]:
            param.pop("bind", None)
    _rows_for_csv(spec)
    return spec


def phone_patch(spec: dict, narrow: dict) -> dict:
    """What a phone draws otherwise, to be merged over a spec: its width, earlier breaks in labels, taller rows, legends and small multiples in a column."""
    params = [{**param, "value": narrow["wrap"]} for param in spec.get("params", []) if param.get("name") == "wrap"]
    size = {"columns": 1} if "facet" in spec else {"width": narrow["width"]}
    patch = {**size, "config": {"legend": {**spec["config"].get("legend", {}), "direction": "vertical"}}, **({"params": params} if params else {})}
    if params and isinstance(spec.get("height"), dict):  # labels that break need room
        patch["height"] = {"step": round(TALLER_ROWS * spec["height"]["step"])}
    return patch


def patched(spec: dict, patch: dict) -> dict:
    """The spec with a phone's patch: configuration by its keys, parameters by their names, the rest as the patch has it (charts.js does the same)."""
    others = {param["name"]: param for param in patch.get("params", [])}
    params = {"params": [others.get(param["name"], param) for param in spec["params"]]} if "params" in spec else {}
    return {**spec, **patch, "config": {**spec["config"], **patch["config"]}, **params}


def page_json(spec: dict) -> str:
    """The spec, or a part of it, as JSON with colours that follow the page."""
    text = json.dumps(spec, separators=(",", ":"), ensure_ascii=False)
    for fixed, themed in PAGE_COLOURS.items():
        text = text.replace(fixed, themed)
    return text


def _rows_for_csv(spec: dict) -> None:
    """Vega reads CSV with generated code, which a strict content policy forbids: give it records."""
    datasets = spec.get("datasets", {})
    for data in list(_data_blocks(spec)):
        form = data.get("format", {})
        if form.get("type") != "csv":
            continue
        parse = form.get("parse", {})
        name = data.get("name")
        if isinstance(data.get("values"), str):
            data["values"] = _records(data["values"], parse)
        elif isinstance(datasets.get(name), str):
            datasets[name] = _records(datasets[name], parse)
        dates = {column: kind for column, kind in parse.items() if kind.startswith("date")}
        data["format"] = {"type": "json", **({"parse": dates} if dates else {})}


def _data_blocks(node: object) -> Iterator[dict]:
    if isinstance(node, dict):
        if isinstance(node.get("data"), dict):
            yield node["data"]
        for value in node.values():
            yield from _data_blocks(value)
    elif isinstance(node, list):
        for value in node:
            yield from _data_blocks(value)


def _records(text: str, parse: dict[str, str]) -> list[dict]:
    return [
        {column: _typed(value, parse.get(column, "string")) for column, value in row.items()}
        for row in csv.DictReader(io.StringIO(text))
    ]


def _typed(value: str, kind: str) -> object:
    if value == "" and kind != "string":
        return None
    if kind == "number":
        number = float(value)
        return int(number) if number.is_integer() else number
    if kind == "boolean":
        return value.lower() == "true"
    return value


def svg(text: str, cache: Path) -> str:
    """The SVG of a JSON spec, drawn once and kept in `cache` under the hash of the spec."""
    path = _cache_path(cache, text, "svg")
    if path in _ahead:
        _ahead.pop(path).result()
    elif not path.exists():
        _draw(text, path)
    return path.read_text(encoding="utf-8")


def draw_ahead(texts: Iterable[str], cache: Path, pool: Executor) -> None:
    """Let other processes draw what is not in the cache yet; `svg` waits for what it needs."""
    for text in texts:
        path = _cache_path(cache, text, "svg")
        if path not in _ahead and not path.exists():
            _ahead[path] = pool.submit(_draw, text, path)


def _draw(text: str, path: Path) -> None:
    """Draw into the cache in one step, so that a build which is stopped leaves no half drawing there."""
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(vlc.vegalite_to_svg(text), encoding="utf-8")
    os.replace(new, path)


def print_json(spec: dict) -> str:
    """The spec of the drawing for paper."""
    return json.dumps(_lower(spec), separators=(",", ":"), ensure_ascii=False)


def _cache_path(cache: Path, text: str, suffix: str) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(f"{vlc.__version__}\n{text}".encode()).hexdigest()[:24]
    return cache / f"{key}.{suffix}"


def inline_svg(drawing: str, prefix: str, alt: str) -> str:
    """The SVG as page markup: ids made unique with `prefix`, one accessible name for the whole."""
    for pattern, shorter in SHORTER:
        drawing = re.sub(pattern, shorter, drawing)
    drawing = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", drawing)
    return drawing.replace("<svg ", f'<svg role="img" aria-label="{escape(alt, quote=True)}" ', 1)


def print_image(spec: dict, cache: Path, images: Path) -> tuple[str, float, float]:
    """Write the drawing for paper into `images`; return its file name, width and height in mm.

    WeasyPrint loses gradients, so a drawing with a gradient legend is written as a fine PNG.
    """
    text = print_json(spec)
    drawing = svg(text, cache)
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups())
    gradient = "Gradient" in drawing
    path = _cache_path(cache, text, "png" if gradient else "svg")
    if gradient and not path.exists():
        path.write_bytes(vlc.vegalite_to_png(text, scale=4))
    images.mkdir(parents=True, exist_ok=True)
    (images / path.name).write_bytes(path.read_bytes())
    scale = min(PIXEL_MM, PRINT_WIDTH_MM / width)
    return path.name, width * scale, height * scale


def _lower(spec: dict) -> dict:
    """Paper has less room than a page that scrolls: the same drawing, lower."""
    if "facet" in spec:
        return {**spec, "spec": _lower(spec["spec"])}
    height = spec["height"]
    return {**spec, "height": {"step": LOWER_IN_PRINT * height["step"]} if isinstance(height, dict) else LOWER_IN_PRINT * height}


def write_bundle(path: Path) -> None:
    """Write the one script that makes charts live: Vega, Vega-Lite and Vega-Embed, from vl-convert.

    The wrapper keeps the bundle's top-level names from clashing with Sphinx's own scripts.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"(()=>{{{vlc.javascript_bundle('window.vegaEmbed = vegaEmbed;')}}})();", encoding="utf-8")
