"""Draw this: the report's theme and the few chart forms it uses.

Each form takes a frame, column names and words, and returns an Altair chart; nothing here reads data, computes a
result or knows a title. Colours with a meaning are constants; ink, grid and background are tokens that the book
replaces by the page's own colours, so that charts follow the dark theme.
"""
from __future__ import annotations

import altair as alt
import pandas as pd

from .text import significant

INK, GRID, PAPER = "#333333", "#d9d9d9", "white"
FOCUS, CONTRAST, THIRD, FOURTH, CONTEXT = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#767676"
PALETTE = [FOCUS, CONTRAST, THIRD, FOURTH, CONTEXT]
DASHES = {FOCUS: [1, 0], CONTRAST: [1, 0], THIRD: [3, 2], FOURTH: [8, 2], CONTEXT: [5, 2]}
SHAPES = ["circle", "diamond", "square", "triangle-up"]
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDTH, NARROW = 690, 340  # pixels of a whole drawing, labels included: in the text column, and on a phone
WRAP, NARROW_WRAP = 40, 13  # letters after which the label of a row breaks at the next blank
SEPTEMBER_2001 = "2001-09-11"


@alt.theme.register("evidence", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    words = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}
    return alt.theme.ThemeConfig(width=WIDTH, height=300, autosize={"type": "fit-x", "contains": "padding"}, config={
        "background": PAPER, "font": FONT, "view": {"stroke": None}, "range": {"category": PALETTE},
        "title": {"anchor": "start", "font": FONT, "fontSize": 15, "subtitleFontSize": 12, "subtitleColor": INK, "color": INK, "offset": 12},
        "axis": {**words, "gridColor": GRID, "domainColor": INK, "tickColor": INK, "labelLimit": 300, "labelLineHeight": 13, "titlePadding": 8},
        "axisY": {"domain": False, "ticks": False, "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -10, "titleBaseline": "bottom"},
        "axisX": {"grid": False, "labelFlush": False, "labelOverlap": "greedy", "labelSeparation": 10}, "legend": {**words, "orient": "top", "title": None, "labelLimit": 400}, "header": words,
        "text": {"font": FONT, "fontSize": 12, "color": INK}, "line": {"strokeWidth": 2.2}, "rule": {"color": INK},
    })


def specification(chart, title: str, subtitle: str) -> dict:
    """The Vega-Lite specification of a chart with its words, data as compact CSV and numbers rounded."""
    with alt.data_transformers.enable("evidence-csv"):
        return chart.properties(title=alt.TitleParams(title, subtitle=subtitle)).to_dict()


def steps(frame: pd.DataFrame, x: str, y: str, series: str, *, y_title: str, marks: dict[str, str] | None = None,
          interpolate: str = "step-after", log: bool = False, colours: dict[str, str] | None = None, height: int = 320):
    """Lines or steps over time, each labelled at its end, with dated hairlines. frame: one row a series and date.

    marks: date -> word at a vertical hairline. colours: series -> colour; their order is the order of the labels.
    """
    frame, colours = frame[[x, y, series]], colours or dict(zip(frame[series].unique(), PALETTE))
    paint = {"color": alt.Color(series, scale=alt.Scale(domain=list(colours), range=list(colours.values())), legend=None)}
    scale = alt.Scale(type="log") if log else alt.Scale(domain=[min(0, float(frame[y].min())), 1.1 * float(frame[y].max())])
    axis = {"x": _years(x), "y": alt.Y(y, type="quantitative", title=y_title, scale=scale)}
    dash = alt.StrokeDash(series, scale=alt.Scale(domain=list(colours), range=[DASHES[tone] for tone in colours.values()]), legend=None)
    tips = [alt.Tooltip(series, title=" "), alt.Tooltip(x, type="temporal", title="date", format="%-d %B %Y"), alt.Tooltip(y, type="quantitative", title=y_title, format=",.3~r")]
    base = alt.Chart(frame)
    lines = base.mark_line(interpolate=interpolate).encode(**axis, **paint, strokeDash=dash, tooltip=tips)
    ends = frame.sort_values(x).groupby(series).tail(1).assign(**{x: frame[x].max()})
    labels = alt.Chart(_spread(ends, y, frame[y], height, log)).mark_text(align="left", dx=14 if interpolate == "step" else 6, fontWeight="bold").encode(x=axis["x"], y=alt.Y("_label_y", type="quantitative"), text=series, **paint)
    return alt.layer(*_hairlines(marks or {}, frame[x]), lines, labels).properties(height=height)


def dots(frame: pd.DataFrame, x: str, y: str, *, x_title: str, low: str | None = None, high: str | None = None, colour: str | None = None,
         colours: dict[str, str] | None = None, label: str | None = None, ticks: list[float] | None = None, step: int = 27, order=None):
    """Sorted dots with the range of disagreeing sources or an interval. frame: one row a dot; rows keep the frame's order.

    label: column whose text stands right of the dot, with a stem from zero in place of a grid line. ticks: values of
    a logarithmic axis; without them the axis is linear.
    """
    frame = frame[[column for column in dict.fromkeys([x, y, low, high, colour, label]) if column]]
    axis = _rows(y, order or frame[y], grid=not label)
    scale = alt.Scale(type="log" if ticks else "linear", zero=not ticks, nice=False, padding=0 if label else 12)
    across = alt.X(x, type="quantitative", title=x_title, scale=scale, axis=alt.Axis(format=",.2~f", **({"values": ticks} if ticks else {"tickCount": 6})))
    shown = [alt.Scale(domain=list(colours), range=tones) for tones in (list(colours.values()), SHAPES[:len(colours)])] if colours else []
    legend = alt.Legend(symbolOpacity=1)
    paint = alt.Color(colour, scale=shown[0], legend=legend) if colour else alt.value(FOCUS)
    shape = {"shape": alt.Shape(colour, scale=shown[1], legend=legend)} if colour else {}
    base = alt.Chart(frame).encode(y=axis)
    layers = [base.mark_rule(color=GRID).encode(x=across, x2=alt.datum(0))] if label else []
    layers += [base.mark_rule(strokeWidth=2, opacity=0.85).encode(x=alt.X(low, type="quantitative", title=x_title, scale=scale), x2=high, color=paint)] if low else []
    layers += [base.mark_point(filled=True, size=85, opacity=1).encode(x=across, color=paint, tooltip=_tips({y: "", colour: "", x: x_title, low: "from", high: "to"}, frame), **shape)]
    layers += [base.mark_text(align="left", dx=9).encode(x=alt.X(high or x, type="quantitative"), text=label)] if label else []
    return _breaking(alt.layer(*layers)).properties(height=alt.Step(step))


def bars(frame: pd.DataFrame, x: str, y: str, *, x_title: str, label: str, highlight: str | None = None, step: int = 29):
    """Horizontal bars from zero, each with its value in words in place of an axis. highlight: boolean column that takes the focus colour."""
    base = alt.Chart(frame[[column for column in (x, y, label, highlight) if column]]).encode(y=_rows(y, frame[y]))
    paint = alt.condition(f"datum['{highlight}']", alt.value(FOCUS), alt.value(CONTEXT)) if highlight else alt.value(FOCUS)
    across = alt.X(x, type="quantitative", axis=None, scale=alt.Scale(domain=[0, 1.1 * float(frame[x].max())]))
    drawn = base.mark_bar(size=15).encode(x=across, color=paint, tooltip=[alt.Tooltip(y, title=" "), alt.Tooltip(label, title=x_title)])
    words = base.mark_text(align="left", dx=5).encode(x=across, text=label)
    return _breaking(drawn + words).properties(height=alt.Step(step))


def stacked(frame: pd.DataFrame, y: str, part: str, value: str, *, x_title: str, colours: dict[str, str], step: int = 29):
    """Horizontal bars of parts in a fixed order, each part with its number. frame: one row a bar and part."""
    order, rows = list(colours), _rows(y, frame[y])
    frame = frame.assign(_order=frame[part].map(order.index)).sort_values([y, "_order"])
    frame = frame.assign(_middle=frame.groupby(y)[value].cumsum() - frame[value] / 2)[[y, part, value, "_order", "_middle"]]
    base = alt.Chart(frame).encode(y=rows)
    paint = alt.Color(part, scale=alt.Scale(domain=order, range=list(colours.values())), legend=alt.Legend(orient="top", title=None))
    drawn = base.mark_bar(size=17, stroke=PAPER, strokeWidth=1).encode(
        x=alt.X(value, type="quantitative", stack="zero", title=x_title), color=paint, order="_order:Q", tooltip=[alt.Tooltip(y, title=" "), alt.Tooltip(part, title="vote"), alt.Tooltip(value, title=x_title)])
    wide = base.transform_filter(f"datum['{value}'] > {frame.groupby(y)[value].sum().max() / 25}")
    words = wide.mark_text(color="#ffffff", fontWeight="bold").encode(x=alt.X("_middle", type="quantitative"), text=alt.Text(value, type="quantitative"))
    return _breaking(drawn + words).properties(height=alt.Step(step))


def picked(frame: pd.DataFrame, x: str, y: str, key: str, name: str, *, value: str, order, missing: str,
           marks: dict[str, str] | None = None, step: int = 48):
    """Every state's date as a grey tick, one row a category, and the reader's choice in colour with its date.

    frame: one row a state and category, date missing where it never came. key, name: columns with the state's code and
    name. value: the first choice. missing: words for a date that never came. Returns the chart and the picker for `figure.publish`.
    """
    options = frame[[key, name]].drop_duplicates().sort_values(name).astype(str).values.tolist()
    choose = alt.param(name="choice", value=value, bind=alt.binding_select(options=[code for code, _ in options], labels=[text for _, text in options], name="State "))
    axis = {"x": _years(x), "y": _rows(y, order)}
    base = alt.Chart(frame[[key, y, x]])
    ticks = base.mark_tick(color=CONTEXT, opacity=0.5, thickness=1, size=step * 0.42).encode(**axis)
    chosen = base.transform_filter(f"datum['{key}'] == choice")
    dot = chosen.mark_point(filled=True, size=130, color=CONTRAST, opacity=1).encode(**axis, tooltip=[alt.Tooltip(y, title=" "), alt.Tooltip(x, type="temporal", title="joined", format="%-d %B %Y")])
    day, lift = alt.Text(x, type="temporal", format="%-d %B %Y"), -step * 0.36
    sides = {"left": (f"year(datum['{x}']) < 1982", -8), "center": (f"year(datum['{x}']) >= 1982 && year(datum['{x}']) < 2008", 0), "right": (f"year(datum['{x}']) >= 2008", 8)}
    words = [layer for side, (when, shift) in sides.items() for layer in _haloed(
        chosen.transform_filter(f"isValid(datum['{x}'])").transform_filter(when).encode(**axis, text=day), align=side, dx=shift, dy=lift, fontWeight="bold")]
    words += _haloed(chosen.transform_filter(f"!isValid(datum['{x}'])").encode(x=alt.value("width"), y=axis["y"], text=alt.value(missing)), align="right", dy=lift, fontStyle="italic")
    chart = _breaking(alt.layer(*_hairlines(marks or {}, frame[x], above=16), ticks, dot, *words)).add_params(choose).properties(height=alt.Step(step))
    return chart, {"param": "choice", "label": "State", "options": options, "value": value}


def placebo(frame: pd.DataFrame, x: str, y: str, *, observed: str, y_title: str, word: str, gap: tuple[str, str], gap_words: list[str], height: int = 260):
    """The same measure at dates when nothing happened (grey) and at the real one (colour). observed: boolean column.

    gap, gap_words: the dates between which nothing is drawn, and why, a line each.
    """
    top = 1.1 * float(frame[y].max())
    axis = {"x": _years(x), "y": alt.Y(y, type="quantitative", title=y_title, scale=alt.Scale(domain=[0, top], nice=False))}
    base = alt.Chart(frame[[x, y, observed]])
    band = alt.Chart(pd.DataFrame({x: [pd.Timestamp(gap[0])], "until": [pd.Timestamp(gap[1])], "middle": [pd.Timestamp(gap[0]) + (pd.Timestamp(gap[1]) - pd.Timestamp(gap[0])) / 2]}))
    shade = band.mark_rect(color=GRID, opacity=0.4).encode(x=axis["x"], x2="until")
    why = band.mark_text(text=gap_words, lineHeight=14).encode(x=alt.X("middle", type="temporal"), y=alt.datum(0.5 * top))
    one = alt.Chart(pd.DataFrame({"reference": [1], "words": ["no change"]})).encode(y="reference:Q")
    same = one.mark_rule(strokeDash=[4, 3]) + one.mark_text(align="left", dx=4).encode(x=alt.value("width"), text="words")
    tips = [alt.Tooltip(x, type="temporal", title="date", format="%-d %B %Y"), alt.Tooltip(y, title="ratio", format=".2f")]
    grey = base.transform_filter(f"!datum['{observed}']").mark_point(filled=True, size=22, color=CONTEXT, opacity=0.8).encode(**axis, tooltip=tips)
    real = base.transform_filter(f"datum['{observed}']")
    dot = real.mark_point(filled=True, size=130, color=CONTRAST, shape="diamond", opacity=1).encode(**axis, tooltip=tips)
    label = real.mark_text(align="right", dx=-10, fontWeight="bold").encode(**axis, text=alt.value(word))
    return alt.layer(shade, same, grey, dot, why, label).properties(height=height)


def _rows(y: str, order, grid: bool = False) -> alt.Y:
    """A nominal axis in the order given, whose labels break into lines at the parameter `wrap`."""
    lines = "split(replace(datum.label, regexp('(.{' + wrap + ',}?) ', 'g'), '$1|'), '|')"
    lift = {"condition": [{"test": f"length({lines}) == 2", "value": -6}, {"test": f"length({lines}) > 2", "value": -13}], "value": 0}
    return alt.Y(y, type="nominal", sort=list(dict.fromkeys(order)), title=None, axis=alt.Axis(grid=grid, labelPadding=8, labelExpr=lines, labelOffset=lift))


def _breaking(chart):
    return chart.add_params(alt.param(name="wrap", value=WRAP))


def _years(x: str) -> alt.X:
    return alt.X(x, type="temporal", title=None, axis=alt.Axis(tickCount=8, format="%Y"))


def _haloed(chart, **style) -> list:
    """Text over a rim of paper, so that ticks and hairlines do not strike it through."""
    return [chart.mark_text(stroke=PAPER, strokeWidth=4, strokeJoin="round", **style), chart.mark_text(**style)]


def _tips(titles: dict[str | None, str], frame: pd.DataFrame) -> list[alt.Tooltip]:
    """Tooltips with words in place of column names, numbers to three digits; entries without a column are left out."""
    return [alt.Tooltip(column, title=title or " ", **({"format": ",.3~r"} if pd.api.types.is_numeric_dtype(frame[column]) else {}))
            for column, title in titles.items() if column]


def _hairlines(marks: dict[str, str], dates: pd.Series, above: int = 0) -> list:
    """Dated hairlines, each with its word on a line of its own and on the side that has room. above: pixels over the plot."""
    layers = []
    for line, (day, word) in enumerate(marks.items()):
        late = pd.Timestamp(day) > dates.min() + 0.4 * (dates.max() - dates.min())
        base = alt.Chart(pd.DataFrame({dates.name: [pd.Timestamp(day)], "word": [word]})).encode(x=alt.X(dates.name, type="temporal"))
        layers += [base.mark_rule(strokeDash=[3, 3], opacity=0.8).encode(y=alt.value(-above), y2=alt.value("height")),
                   base.mark_text(align="right" if late else "left", dx=-5 if late else 5, baseline="top").encode(y=alt.value(14 * line - above), text="word")]
    return layers


def _spread(ends: pd.DataFrame, y: str, values: pd.Series, height: int, log: bool) -> pd.DataFrame:
    """Labels of lines that end close together, pushed apart by at least the height of a line of text."""
    from math import exp, log as ln

    scale = ln if log else float
    low, high = scale(values.min()) if log else min(0.0, float(values.min())), scale(values.max())
    gap = 15 / height * (high - low)
    ends, placed = ends.sort_values(y), []
    for value in ends[y]:
        placed.append(max(scale(value), placed[-1] + gap) if placed else scale(value))
    return ends.assign(_label_y=[significant(exp(value) if log else value) for value in placed])


def _csv_data(frame: pd.DataFrame) -> dict:
    """Chart data as one CSV string, a sixth of the size of records, with numbers rounded to six digits."""
    kinds = {"i": "number", "u": "number", "f": "number", "b": "boolean", "M": "date"}
    parse = {str(column): kinds.get(_kind(frame[column]), "string") for column in frame}
    frame = frame.assign(**{column: frame[column].map(significant) for column in frame if _kind(frame[column]) == "f"})
    frame = frame.assign(**{column: frame[column].map({True: "true", False: "false"}) for column in frame if _kind(frame[column]) == "b"})
    return {"values": alt.utils.sanitize_pandas_dataframe(frame).to_csv(index=False, lineterminator="\n"), "format": {"type": "csv", "parse": parse}}


def _kind(column: pd.Series) -> str:
    """numpy's letter for a column's type, also for pandas' own number and boolean types."""
    return getattr(column.dtype, "numpy_dtype", column.dtype).kind if not isinstance(column.dtype, pd.StringDtype) else "O"


alt.data_transformers.register("evidence-csv", _csv_data)
