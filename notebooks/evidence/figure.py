"""Publish this chart or table: the one place that turns results into what the book prints.

Title, subtitle and alt text come from the notebook, computed; source and caveat come from the table's
descriptor and cannot be typed. Everything travels inside the output itself (for charts, in the `usermeta`
of the Vega-Lite specification), because nbval compares outputs and not their metadata.
"""
from __future__ import annotations

import base64
import html
import io
import json
from importlib.metadata import version

import pandas as pd

from . import charts
from .data import describe, kept, load, source_rows
from .text import significant

CHART = "application/vnd.vegalite.v5+json"  # the newest Vega-Lite type that JupyterLab 4.6 draws
TABLE = "application/vnd.evidence.table+json"
FINDING = "application/vnd.evidence.finding+json"
NAMED_SOURCES = 3
KINDS = ("official", "dataset", "secondary copy", "press", "encyclopaedia copy")
SCATTERED = 0.1  # below this share of the cells no source stands out, and official ones are named first
TITLE_WORDS = 15


class FigureError(ValueError):
    """A figure that lacks what every reader needs: a finding, an alternative text, a source."""


class Output:
    """Something a notebook shows: a bundle of one exact form and plainer ones for other readers."""

    def __init__(self, **bundle):
        self.bundle = bundle

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return self.bundle


def publish(chart, *, id: str, title: str, subtitle: str, alt: str = "", tables: list[str], drawn: dict[str, pd.DataFrame] | None = None, caveats=(0,),
            picker: dict | None = None) -> Output:
    """A numbered figure: finding, chart, source, caveat, link to the data.

    chart: an Altair chart. title: the finding with its number, at most 15 words. alt: kind of chart, measure and
    main finding, at least 40 characters. tables: those the chart draws, the main one first. drawn: table -> the rows of it
    that are drawn, where that is a part; the source line then names the sources of these alone. caveats: which of the
    main table's caveats to print. picker: {"param", "label", "options", "value"} for one choice by the reader. Raises FigureError.
    """
    meta = {"kind": "figure", **_furniture(id, title, subtitle, tables, drawn or {}, caveats), "alt": _alternative(id, alt), "picker": picker,
            "narrow": {"width": charts.NARROW, "wrap": charts.NARROW_WRAP}}
    spec = charts.specification(chart, meta["title"], subtitle)
    spec["usermeta"] = {"evidence": meta}
    return Output(**{CHART: spec, "image/png": _png(spec), "text/plain": f"Chart: {meta['title']}. {meta['alt']}"})


def tabulate(frame: pd.DataFrame, *, id: str, title: str, subtitle: str, tables: list[str], drawn: dict[str, pd.DataFrame] | None = None, caveats=(0,),
             formats: dict | None = None) -> Output:
    """A numbered table with the furniture of a figure. frame: one row a line, column names as headings.

    formats: column -> function that writes a cell; other numbers get thousands separators. Raises FigureError.
    """
    cells = pd.DataFrame({column: frame[column].map((formats or {}).get(column, _cell)) for column in frame})
    columns = [{"title": column, "align": "right" if pd.api.types.is_numeric_dtype(frame[column]) else "left"} for column in frame]
    meta = {"kind": "table", **_furniture(id, title, subtitle, tables, drawn or {}, caveats), "columns": columns, "rows": cells.to_numpy().tolist()}
    return Output(**{TABLE: meta, "text/html": f"<p><strong>{html.escape(title)}</strong><br>{html.escape(subtitle)}</p>" + cells.to_html(index=False, border=0),
                     "text/plain": f"Table: {title}"})


def finding(id: str, sentence: str, figures: list[str]) -> Output:
    """A sentence that leads the chapter and stands on the front page, with the figures that show it."""
    sentence = " ".join(sentence.split())
    return Output(**{FINDING: {"kind": "finding", "id": id, "text": sentence, "figures": figures}, "text/markdown": sentence, "text/plain": sentence})


def _furniture(id: str, title: str, subtitle: str, tables: list[str], drawn: dict[str, pd.DataFrame], caveats) -> dict:
    title = " ".join(title.split())
    if len(title.split()) > TITLE_WORDS:
        raise FigureError(f"{id}: the title has {len(title.split())} words; say the finding in at most {TITLE_WORDS}: {title!r}")
    if not any(character.isdigit() for character in title) and not set(title.lower().split()) & set(_number_words()):
        raise FigureError(f"{id}: the title states no number: {title!r}. Compute it in the cell and put it there, as in f\"... {{value}} ...\"")
    if not tables:
        raise FigureError(f"{id}: it names no table. Give `tables` those that it draws, the main one first.")
    if strange := [name for name in drawn if name not in tables]:
        raise FigureError(f"{id}: `drawn` names {strange[0]!r}, which is not among its tables: {', '.join(tables)}.")
    used = {name: load(name) for name in tables}
    if not (ids := list(_source_ids(used | drawn))):
        raise FigureError(f"{id}: the rows in `drawn` have no source: pass rows of the table with their column `source_id`.")
    sources = _leading(ids)
    named = [{"id": row.source_id, "label": _cited(row.producer, row.published)} for row in sources.head(NAMED_SOURCES).itertuples()]
    return {"id": id, "title": title, "subtitle": subtitle, "sources": named, "more_sources": len(sources) - len(named),
            "note": _note(id, tables[0], caveats), "tables": [{"name": name, "rows": len(frame)} for name, frame in used.items()]}


def _note(id: str, table: str, caveats) -> str:
    """The caveats of the main table that a figure prints, at least one."""
    texts = describe(table)["caveats"]
    if not isinstance(caveats, tuple) or not caveats or not set(caveats) <= set(range(len(texts))):
        raise FigureError(f"{id}: caveats is {caveats!r}; {table} has {len(texts)}, counted from 0. Name those to print, at least one, as in caveats=(0,).")
    return " ".join(texts[which] for which in caveats)


def _leading(ids: list[str]) -> pd.DataFrame:
    """The sources in the order in which a figure names them: most used first, or by kind where none stands out."""
    sources = source_rows(ids)
    if max(map(ids.count, sources["source_id"].head(1))) >= SCATTERED * len(ids):
        return sources
    return sources.sort_values("kind", key=lambda kinds: kinds.map(KINDS.index), kind="stable")


def _cited(producer: str, published: str) -> str:
    """'United Nations Treaty Collection (copy), 2014'; several producers stand with a stroke between them."""
    return f"{producer.replace('; ', ' / ')}, {published if published == 'undated' else published[:4]}"


def _source_ids(tables: dict[str, pd.DataFrame]):
    for frame in tables.values():
        for column in frame.columns[frame.columns.str.endswith("source_id")]:
            yield from frame[column].dropna()


def _alternative(id: str, alt: str) -> str:
    alt = " ".join(alt.split())
    if len(alt) < 40 or alt.lower().endswith((".png", ".svg")):
        raise FigureError(f"{id}: the alternative text must say the kind of chart, what it measures and the main finding, in at least 40 characters.")
    return alt


def _number_words() -> tuple[str, ...]:
    from .text import WORDS

    return (*WORDS, "half", "twice", "doubled", "tripled")


def _cell(value) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = significant(float(value))
        return f"{value:,.{0 if value == int(value) else 1}f}"
    return str(value)


def _png(spec: dict) -> str:
    """A small picture of the chart for viewers that draw no Vega-Lite, such as code hosts."""
    key = "\0".join(["64 colours", version("vl-convert-python"), json.dumps(spec)])
    return base64.b64encode(kept(key.encode(), "png", lambda: _drawn(spec))).decode()


def _drawn(spec: dict) -> bytes:
    import vl_convert
    from PIL import Image

    picture = Image.open(io.BytesIO(vl_convert.vegalite_to_png(spec))).convert("RGB").quantize(64, Image.Quantize.FASTOCTREE)
    picture.save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()
