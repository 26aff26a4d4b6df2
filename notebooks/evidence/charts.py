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
SOLID = {FOCUS: "#0071b1", CONTRAST: "#b85000", THIRD: "#00795a", FOURTH: "#a8467f", CONTEXT: "#757575"}  # bars that carry white numbers, in both themes
SHADES = ["#9BBFE0", "#3F78B5", "#1F5A96"]  # one, two, three or more; the page turns them round on dark ground
UNSURE = ["#EBA57C", CONTRAST]  # the same for what is known from reports
DASHES = {FOCUS: [1, 0], CONTRAST: [1, 0], THIRD: [3, 2], FOURTH: [8, 2], CONTEXT: [5, 2]}
SHAPES = ["circle", "diamond", "square", "triangle-up"]
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDTH, NARROW = 690, 340  # pixels of a whole drawing, labels included: in the text column, and on a phone
PANEL, AXIS = 277, 48  # pixels of one small multiple and of its axis: two of them fill WIDTH, one fills NARROW
WRAP, NARROW_WRAP = 40, 13  # letters after which the label of a row breaks at the next blank
SEPTEMBER_2001 = "2001-09-11"
DAY = "%-d %B %Y"
BELONGS = ("the state belongs", "it does not")

WORDS = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
         "labelColor": INK, "titleColor": INK}
ABOVE = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0, "titleY": -10, "titleBaseline": "bottom"}
CONFIG = {
    "background": PAPER, "font": FONT, "view": {"stroke": None}, "range": {"category": PALETTE},
    "title": {"anchor": "start", "font": FONT, "fontSize": 15, "subtitleFontSize": 12, "subtitleColor": INK, "color": INK, "offset": 12},
    "axis": {**WORDS, "gridColor": GRID, "domainColor": INK, "tickColor": INK, "labelLimit": 300, "labelLineHeight": 13, "titlePadding": 8},
    "axisX": {"grid": False, "labelFlush": False, "labelOverlap": "greedy", "labelSeparation": 10},
    "axisY": {"domain": False, "ticks": False, **ABOVE}, "header": WORDS,
    "legend": {**WORDS, "orient": "top", "title": None, "labelLimit": 400},
    "text": {"font": FONT, "fontSize": 12, "color": INK}, "line": {"strokeWidth": 2.2}, "rule": {"color": INK},
}


@alt.theme.register("evidence", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    return alt.theme.ThemeConfig(width=WIDTH, height=300, autosize={"type": "fit-x", "contains": "padding"}, config=CONFIG)


def specification(chart, title: str, subtitle: str) -> dict:
    """The Vega-Lite specification of a chart with its words, data as compact CSV and numbers rounded."""
    with alt.data_transformers.enable("evidence-csv"):
        return chart.properties(title=alt.TitleParams(title, subtitle=subtitle)).to_dict()


def steps(frame: pd.DataFrame, x: str, y: str, series: str, *, y_title: str, marks: dict[str, str] | None = None,
          interpolate: str = "step-after", colours: dict[str, str] | None = None, points: bool = False, top: float | None = None, height: int = 320):
    """Lines or steps over time, each labelled at its end, with dated hairlines. frame: one row a series and date.

    marks: date -> word at a vertical hairline. colours: series -> colour; their order is the order of the labels.
    points: draw each value as a dot as well. top: where the vertical axis ends. A missing value breaks the line.
    """
    frame, colours = frame[[x, y, series]], colours or dict(zip(frame[series].unique(), PALETTE))
    scale = alt.Scale(domain=[min(0, float(frame[y].min())), top or 1.1 * float(frame[y].max())])
    axis = {"x": _years(x), "y": alt.Y(y, type="quantitative", title=y_title, scale=scale)}
    paint = {"color": _colour(series, colours, legend=None)}
    dash = alt.StrokeDash(series, scale=_scale(colours, [DASHES[tone] for tone in colours.values()]), legend=None)
    tips = [alt.Tooltip(series, title=" "), _day(x, "date"), alt.Tooltip(y, type="quantitative", title=y_title, format=",.3~r")]
    lines = alt.Chart(frame).mark_line(interpolate=interpolate).encode(**axis, **paint, strokeDash=dash, tooltip=tips)
    lines += alt.Chart(frame).mark_point(filled=True, size=45, opacity=1).encode(**axis, **paint, tooltip=tips) if points else alt.LayerChart()
    ends = _spread(_line_ends(frame.dropna(subset=y), x, series), y, scale.domain, height)
    labels = alt.Chart(ends).encode(x=axis["x"], y=alt.Y("_label_y", type="quantitative"), text=series)
    halo, words = _haloed(labels, align="left", dx=14 if interpolate == "step" else 6, fontWeight="bold")
    return alt.layer(*_hairlines(marks or {}, frame[x]), lines, halo, words.encode(**paint)).properties(height=height)


def dots(frame: pd.DataFrame, x: str, y: str, *, x_title: str, low: str | None = None, high: str | None = None,
         colour: str | None = None, colours: dict[str, str] | None = None, label: str | None = None,
         ticks: list[float] | None = None, reference: tuple[float, str] | None = None, span: bool = False, step: int = 27, order=None, count: int = 6):
    """Sorted dots with the range of disagreeing sources or an interval. frame: one row a dot; rows keep the frame's order.

    label: column whose text stands right of the dot, with a stem from zero (from the first tick) in place of a grid
    line. ticks: values of a logarithmic axis; without them the axis is linear. reference: a value that a dashed line marks, and its word.
    span: join the least and the most of each row. count: about how many ticks a linear axis takes, few where a phone would drop some.
    """
    scale = alt.Scale(type="log" if ticks else "linear", zero=not ticks, nice=False, padding=0 if label else 12)
    axis = alt.Axis(format=",.2~f", **({"values": ticks} if ticks else {"tickCount": count}))
    across = alt.X(x, type="quantitative", title=x_title, scale=scale, axis=axis)
    paint = {"color": _colour(colour, colours)} if colour else {"color": alt.value(FOCUS)}
    shape = {"shape": alt.Shape(colour, scale=_scale(colours, SHAPES[:len(colours)]), legend=_legend())} if colour else {}
    tips = _tips({y: "", colour: "", x: x_title, low: "from", high: "to"}, frame)
    used = [column for column in dict.fromkeys([x, y, low, high, colour, label]) if column]
    base = alt.Chart(frame[used]).encode(y=_rows(y, order or frame[y], grid=not label))
    layers = _reference(*reference) if reference else []
    layers += [base.mark_rule(color=GRID).encode(x=across, x2=alt.datum(ticks[0] if ticks else 0))] if label else []
    layers += [base.mark_rule(color=CONTEXT, strokeWidth=2).encode(x=alt.X(x, aggregate="min", title=x_title, scale=scale), x2=f"max({x})")] if span else []
    line = base.mark_rule(strokeWidth=2, opacity=0.85)
    layers += [line.encode(x=alt.X(low, type="quantitative", title=x_title, scale=scale), x2=high, **paint)] if low else []
    layers += [base.mark_point(filled=True, size=85, opacity=1).encode(x=across, tooltip=tips, **paint, **shape)]
    layers += [base.mark_text(align="left", dx=9).encode(x=alt.X(high or x, type="quantitative"), text=label)] if label else []
    return _breaking(alt.layer(*layers)).properties(height=alt.Step(step))


def bars(frame: pd.DataFrame, x: str, y: str, *, x_title: str, label: str, highlight: str | None = None, step: int = 29, room: float = 1.1):
    """Horizontal bars from zero, each with its value in words in place of an axis. highlight: boolean column that takes the focus colour.

    room: times the longest bar that the plot leaves for it and its words.
    """
    across = alt.X(x, type="quantitative", axis=None, scale=alt.Scale(domain=[0, room * float(frame[x].max())]))
    paint = alt.condition(f"datum['{highlight}']", alt.value(FOCUS), alt.value(CONTEXT)) if highlight else alt.value(FOCUS)
    base = alt.Chart(frame[[column for column in (x, y, label, highlight) if column]]).encode(x=across, y=_rows(y, frame[y]))
    drawn = base.mark_bar(size=15).encode(color=paint, tooltip=[alt.Tooltip(y, title=" "), alt.Tooltip(label, title=x_title)])
    return _breaking(drawn + base.mark_text(align="left", dx=5).encode(text=label)).properties(height=alt.Step(step))


def stacked(frame: pd.DataFrame, y: str, part: str, value: str, *, x_title: str, colours: dict[str, str], step: int = 29, few: bool = False):
    """Horizontal bars of parts in a fixed order, each part with its number. frame: one row a bar and part. few: small counts, ticks at whole numbers alone."""
    rows, order = _rows(y, frame[y]), list(colours)
    colours = {name: SOLID.get(tone, tone) for name, tone in colours.items()}
    frame = frame.assign(_order=frame[part].map(order.index)).sort_values([y, "_order"])
    frame = frame.assign(_middle=frame.groupby(y)[value].cumsum() - frame[value] / 2)[[y, part, value, "_order", "_middle"]]
    longest = frame.groupby(y)[value].sum().max()
    scale = alt.Scale(domain=[0, 100], nice=False) if abs(longest - 100) < 1 else alt.Undefined
    figures = ",.1f" if (frame[value] % 1 > 0).any() else ",d"
    base = alt.Chart(frame).encode(y=rows)
    tips = [alt.Tooltip(y, title=" "), alt.Tooltip(part, title="part"), alt.Tooltip(value, title=x_title)]
    drawn = base.mark_bar(size=17, stroke=PAPER, strokeWidth=1).encode(
        x=alt.X(value, type="quantitative", stack="zero", title=x_title, scale=scale, axis=alt.Axis(tickMinStep=1, format="d") if few else alt.Undefined), color=_colour(part, colours), order="_order:Q", tooltip=tips)
    wide = base.transform_filter(f"datum['{value}'] > {longest} / (wrap < {WRAP} ? 17 : 25) * max(1, length(toString(datum['{value}'])) / 2)")
    words = wide.mark_text(color="#ffffff", fontWeight="bold").encode(
        x=alt.X("_middle", type="quantitative"), text=alt.Text(value, type="quantitative", format=figures))
    return _breaking(drawn + words).properties(height=alt.Step(step))


def spans(frame: pd.DataFrame, start: str, end: str, label: str, *, colour: str, colours: dict[str, str], until: str, step: int = 38):
    """A timeline: one row an event or arrangement in the order of the frame, its words above its bar, so that a phone can show it.

    start, end: date columns; a missing end runs to the day `until` and ends in an arrow; start and end on one day draw a dot.
    """
    frame = frame[[start, end, label, colour]].assign(_end=frame[end].fillna(pd.Timestamp(until)), _open=frame[end].isna())
    row, tips = alt.Y(label, type="nominal", sort=None, axis=None, scale=alt.Scale(paddingOuter=0.4)), [alt.Tooltip(label, title=" "), _day(start, "from"), _day(end, "until"), alt.Tooltip(colour, title=" ")]
    axis = alt.Axis(orient="top", tickCount=8, format="%Y", grid=True)
    base = alt.Chart(frame).encode(y=row, color=_colour(colour, colours), tooltip=tips)
    bars = base.mark_bar(size=5, yOffset=6).encode(x=alt.X(start, type="temporal", title=None, axis=axis), x2="_end")
    dots = base.transform_filter(f"datum['{start}'] - datum['_end'] == 0").mark_point(filled=True, size=70, opacity=1, yOffset=6).encode(x=alt.X(start, type="temporal"))
    arrows = base.transform_filter("datum['_open']").mark_point(filled=True, shape="triangle-right", size=70, opacity=1, yOffset=6).encode(x="_end:T")
    words = _haloed(alt.Chart(frame).encode(y=row, x=alt.value(0), text=label), align="left", dy=-5)
    return alt.layer(bars, dots, arrows, *words).properties(height=alt.Step(step))


def lanes(frame: pd.DataFrame, start: str, end: str, row: str, superior: str, *, label: str, colour: str, colours: dict[str, str], firm: tuple[str, str],
          loose: str, order: dict[str, list[str]], until: str, step: int = 34):
    """Who reported to whom over time: a line as long as each link lasted, and where it begins an upright arrow to the superior's row.

    frame: one row a link. superior: the row that the link leads to, missing where it has none. label: words of the link for the tooltip.
    firm: boolean columns, False where the start or the end is inferred, which draws a hollow dot; a missing end runs to the day `until` and ends
    in an arrow. loose: boolean column, True draws the line dashed. order: name of each lane -> its rows from top to bottom.
    """
    names = [name for lane, rows in order.items() for name in (lane, *rows)]
    place = {name: number for number, name in enumerate(names)}
    ends = frame[end].fillna(pd.Timestamp(until))
    used = frame[[start, end, row, superior, label, colour, *firm, loose]].assign(
        _end=ends, _open=frame[end].isna(), _y=frame[row].map(place) + 0.8, _to=frame[superior].map(place) + 0.8)
    scale = alt.Scale(domain=[0, len(names)], reverse=True, nice=False)
    across = alt.X(start, type="temporal", title=None, axis=alt.Axis(orient="top", tickCount=8, format="%Y", grid=True))
    axis, paint = {"x": across, "y": alt.Y("_y", type="quantitative", axis=None, scale=scale)}, {"color": _colour(colour, colours)}
    base = alt.Chart(used).encode(**axis, **paint, tooltip=[alt.Tooltip(label, title=" "), _day(start, "from"), _day(end, "until"), alt.Tooltip(colour, title=" ")])
    linked, late = base.transform_filter("isValid(datum['_to'])"), base.encode(x="_end:T")
    lines = [base.transform_filter(f"{'' if dash else '!'}datum['{loose}']").mark_rule(strokeWidth=5, strokeDash=dash).encode(x2="_end") for dash in ([], [5, 3])]
    arrows = [linked.mark_rule(strokeWidth=1.4).encode(y2="_to")]
    arrows += [linked.transform_filter(f"datum['_to'] {side} datum['_y']").mark_point(filled=True, shape=f"triangle-{shape}", size=46, opacity=1, yOffset=shift).encode(y=alt.Y("_to", type="quantitative", axis=None))
               for side, shape, shift in (("<", "up", 6), (">", "down", -6))]
    dots = [point.transform_filter(f"{sign}datum['{column}'] && {test}").mark_point(size=30, opacity=1, strokeWidth=1.6, **({"fill": PAPER} if sign else {"filled": True}))
            for point, column, test in ((base, firm[0], "true"), (late, firm[1], "!datum['_open']")) for sign in ("", "!")]
    dots += [late.transform_filter("datum['_open']").mark_point(filled=True, shape="triangle-right", size=70, opacity=1)]
    heads = alt.Chart(pd.DataFrame({"name": names, "_y": [number + 0.42 for number in range(len(names))], "lane": [name in order for name in names]}))
    words = [part for test, weight in (("datum.lane", "bold"), ("!datum.lane", "normal"))
             for part in _haloed(heads.transform_filter(test).encode(x=alt.value(0), y=alt.Y("_y", type="quantitative", axis=None), text="name"), align="left", fontWeight=weight)]
    parts = heads.transform_filter("datum.lane").transform_calculate(_top="datum['_y'] - 0.42").mark_rule(color=CONTEXT).encode(y=alt.Y("_top", type="quantitative", axis=None))
    return alt.layer(parts, *arrows, *lines, *dots, *words).properties(height=step * len(names))


def panels(frame: pd.DataFrame, x: str, y: str, panel: str, *, marks: dict[str, str] | None = None, series: str | None = None,
           colours: dict[str, str] | None = None, interpolate: str = "linear", height: int = 120, day_format: str = "%Y", room: float = 1, label: str | None = None, alike: bool = False):
    """Small multiples, each on its own scale from zero: two abreast, one below the other on a phone. frame: one row a panel and date.

    panel: column with the title of each panel (measure and unit), in the order of the frame. series: lines within a panel.
    day_format: how dates below the panels read. room: times the highest value that each panel leaves, so that words at hairlines stand free.
    label: column with words above each dot, for panels of few dots. alike: all panels on one scale.
    """
    axis = {"x": alt.X(x, type="temporal", title=None, axis=alt.Axis(tickCount=4, format=day_format), scale=alt.Scale(padding=24 if label else 6)),
            "y": alt.Y(y, type="quantitative", title=None, axis=alt.Axis(tickCount=4, format=",~r", minExtent=AXIS, maxExtent=AXIS))}
    paint = {"color": _colour(series, colours)} if series else {"color": alt.value(FOCUS)}
    tips = _tips({series: "", y: "value"}, frame) + [_day(x, "date")]
    base = alt.Chart().encode(**axis, **paint, tooltip=tips)
    head_room = [alt.Chart().transform_calculate(_room=f"{room} * datum['{y}']").mark_point(opacity=0).encode(x=axis["x"], y="_room:Q")] if room > 1 else []
    drawn = alt.layer(*head_room, *_hairlines(marks or {}, frame[x]), base.mark_line(interpolate=interpolate), base.mark_point(filled=True, size=28, opacity=1),
                      *(_haloed(base.encode(text=label, color=alt.value(INK)), dy=-11) if label else []))
    used = frame[[column for column in (x, y, panel, series, label) if column]]
    return _abreast(drawn.properties(width=PANEL, height=height), used, panel, y="shared" if alike else "independent")


def _abreast(drawn, frame: pd.DataFrame, panel: str, **scales: str):
    """One drawing a panel, two abreast, in the order of the frame and under its title. scales: axis -> "shared" or "independent"."""
    head = alt.Header(title=None, labelAnchor="start", labelFontWeight="bold", labelFontSize=12, labelPadding=4, labelLimit=PANEL + AXIS)
    facet = alt.Facet(panel, type="nominal", sort=list(frame[panel].unique()), header=head)
    return drawn.facet(facet, data=frame, columns=2, spacing=18).resolve_scale(**scales).properties(autosize="pad")


def fans(frame: pd.DataFrame, x: str, y: str, panel: str, *, kind: str = "kind", run: str = "run", height: int = 130, marks: dict[str, str] | None = None):
    """Small multiples of what was seen and what is forecast: two abreast, one below the other on a phone, each on its own scale from zero.

    frame: one row a panel, date and kind: "seen" (a dot, joined within a `run`), "held out" (a grey rule from low_80 to high_80 that an earlier
    forecast gave for that date) or "forecast" (the path from the last value on, with low_50, high_50, low_80, high_80 as two bands). panel: title
    of each panel (measure, unit), in the order of the frame. A run is a stretch without a break; where one ends the line ends.
    """
    across = alt.X(x, type="temporal", title=None, axis=alt.Axis(tickCount=5, format="%Y"), scale=alt.Scale(padding=8))
    axis = alt.Axis(tickCount=4, labelExpr="format(datum.value, abs(datum.value) >= 1e4 ? '~s' : ',~r')", minExtent=AXIS, maxExtent=AXIS)
    up = alt.Y(y, type="quantitative", title=None, axis=axis, scale=alt.Scale(zero=True))
    base = {name: alt.Chart().transform_filter(f"datum['{kind}'] == '{name}'").encode(x=across) for name in ("seen", "held out", "forecast")}
    ends = [alt.Tooltip(f"{side}_{level}", type="quantitative", title=f"{level}% {word}", format=",.3~r") for level in (50, 80) for side, word in (("low", "from"), ("high", "to"))]
    tips = [_day(x, "date"), alt.Tooltip(y, type="quantitative", title="value", format=",.3~r")]
    held = base["held out"].mark_rule(color=CONTEXT, strokeWidth=3, opacity=0.35).encode(y=alt.Y("low_80", type="quantitative", title=None, axis=axis), y2="high_80")
    bands = [base["forecast"].mark_area(color=CONTRAST, opacity=shade).encode(y=alt.Y(f"low_{level}", type="quantitative", title=None, axis=axis), y2=f"high_{level}") for level, shade in ((80, 0.22), (50, 0.32))]
    middle = base["forecast"].mark_line(color=CONTRAST, strokeDash=[4, 2]).encode(y=up, tooltip=tips + ends)
    lines = base["seen"].mark_line(color=FOCUS, strokeWidth=1.6).encode(y=up, detail=run)
    points = base["seen"].mark_point(filled=True, size=20, color=FOCUS, opacity=1).encode(y=up, tooltip=tips)
    drawn = alt.layer(held, *bands, *_hairlines(marks or {}, frame[x]), middle, lines, points).properties(width=PANEL, height=height)
    return _abreast(drawn, frame[[x, y, panel, kind, run, "low_50", "high_50", "low_80", "high_80"]], panel, y="independent", x="independent")


def tiles(frame: pd.DataFrame, x: str, y: str, colour: str, *, colours: dict[str, str], order, step: int = 19):
    """A grid of rows by kinds, a square where the row has the kind. frame: one row a square; rows keep the frame's order. order: the kinds."""
    top = alt.Axis(orient="top", labelAngle=-90, labelAlign="left", labelPadding=4, grid=True, ticks=False, domain=False, labelOverlap=False)
    across = alt.X(x, type="nominal", sort=list(order), title=None, axis=top)
    squares = alt.Chart(frame[[x, y, colour]]).mark_square(size=130, opacity=1).encode(
        x=across, y=_rows(y, frame[y], grid=True), color=_colour(colour, colours), tooltip=_tips({y: "", x: "kind", colour: ""}, frame))
    return _breaking(alt.layer(squares)).properties(height=alt.Step(step))


def matrix(frame: pd.DataFrame, first: str, second: str, shade: str, detail: str, *, order: list[str], blocks: dict[str, int], colours: dict[str, str], step: int = 10):
    """Who shares with whom: rows and columns in one order, a square where two have something in common, each pair once, below the diagonal.

    frame: one row a pair. shade: column of classes, those of `colours`. detail: words for the tooltip. order: names of the rows from the top.
    blocks: name -> number of rows, in that order; the names stand beside the blocks. A phone cuts long names of rows.
    """
    place = {name: position for position, name in enumerate(order)}
    ends = frame[[first, second]].apply(lambda column: column.map(place))
    used = pd.DataFrame({"_x": ends.min(axis=1), "_y": ends.max(axis=1), shade: frame[shade], detail: frame[detail]})
    size, names = len(order), alt.param(name="names", value=list(order))
    labels = alt.Axis(values=[position + 0.5 for position in range(size)], grid=False, labelFontSize=11, labelOverlap=False, labelPadding=2,
                      labelExpr=f"wrap > {NARROW_WRAP} ? names[floor(datum.value)] : truncate(names[floor(datum.value)], {NARROW_WRAP + 1})", minExtent=0)
    side = alt.Scale(domain=[0, size], nice=False)
    down = alt.Y("_y", type="quantitative", title=None, scale=alt.Scale(domain=[size, 0], nice=False), axis=labels)
    across = alt.X("_x", type="quantitative", title=None, scale=side, axis=None)
    squares = alt.Chart(used).transform_calculate(_x2="datum._x + 1", _y2="datum._y + 1", _pair="names[datum._x] + ' and ' + names[datum._y]").mark_rect(
        stroke=PAPER, strokeWidth=0.5).encode(x=across, x2="_x2", y=down, y2="_y2", color=_colour(shade, colours),
                                              tooltip=[alt.Tooltip("_pair", type="nominal", title=" "), alt.Tooltip(detail, title="in common")])
    tops = pd.Series(blocks).cumsum() - pd.Series(blocks)
    corners = pd.DataFrame({"_block": [f"{name} ({rows})" for name, rows in blocks.items()], "_x": tops.to_numpy(), "_x2": (tops + pd.Series(blocks)).to_numpy(), "_middle": (tops + pd.Series(blocks) / 2).to_numpy()})
    base = alt.Chart(corners).transform_calculate(_words=f"split(replace(datum._block, regexp('(.{{' + wrap + ',}}?) ', 'g'), '$1|'), '|')")
    frames = base.mark_rect(filled=False, stroke=INK, strokeWidth=1).encode(x=across, x2="_x2", y=alt.Y("_x", type="quantitative", axis=labels), y2="_x2")
    beside = base.transform_filter(f"datum._x2 < {size}").encode(x=alt.X("_x2", type="quantitative"), y=alt.Y("_middle", type="quantitative", axis=labels), text="_words:N")
    last = base.transform_filter(f"datum._x2 == {size}").transform_calculate(_top="datum._x + 3").encode(x=alt.value("width"), y=alt.Y("_top", type="quantitative", axis=labels), text="_words:N")
    words = [*_haloed(beside, align="left", dx=6, fontWeight="bold"), *_haloed(last, align="right", dx=-6, fontWeight="bold")]
    return _breaking(alt.layer(squares, frames, *words).add_params(names)).properties(height=step * size)


def waffle(frame: pd.DataFrame, part: str, count: str, *, unit: int, colours: dict[str, str], rows: int = 9, height: int = 170):
    """A few among many: equal cells, each for `unit` of what is counted, part after part from the left. frame: one row a part.

    colours: part -> colour, in the order drawn; a part that has anything gets at least one cell. rows: cells in a column.
    """
    cells = (frame.set_index(part)[count].reindex(list(colours)) / unit).round().clip(lower=1).astype(int)
    names = [name for name, number in cells.items() for _ in range(number)]
    grid = pd.DataFrame({part: names, "_column": [place // rows for place in range(len(names))], "_row": [place % rows for place in range(len(names))]})
    across, down = (alt.Axis(labels=False, ticks=False, domain=False, grid=False) for _ in range(2))
    band = alt.Scale(paddingInner=0.16, paddingOuter=0)
    return alt.Chart(grid).mark_rect().encode(
        x=alt.X("_column", type="ordinal", title=None, axis=across, scale=band), y=alt.Y("_row", type="ordinal", title=None, axis=down, scale=band),
        color=_colour(part, colours), tooltip=[alt.Tooltip(part, title=" ")]).properties(height=height)


def scatter(frame: pd.DataFrame, x: str, y: str, key: str, name: str, *, x_title: str, y_title: str, ticks: list[float], value: str, height: int = 360,
            upright: bool = False, label: str | None = None):
    """Countries as grey dots on a scale that shows zero and tenfold steps, the reader's choice in colour with its name.

    key, name: columns with the country's code and name. ticks: values of the horizontal axis. value: the first choice.
    upright: the tenfold steps stand on the vertical axis. label: column with words beside a dot, blank for none.
    Returns the chart and the picker for `figure.publish`.
    """
    choice, picker = _picker(frame, key, name, value, "Country")
    steps = y if upright else x
    tenfold = {"scale": alt.Scale(type="symlog", constant=ticks[1], domain=[0, (1.6 if upright else 1.2) * float(frame[steps].max())]), "axis": alt.Axis(values=ticks, format=",~r", grid=True)}
    across = alt.X(x, type="quantitative", title=x_title, **({} if upright else tenfold))
    up = alt.Y(y, type="quantitative", title=y_title, **(tenfold if upright else {"axis": alt.Axis(offset=8)}))
    used = [column for column in (x, y, key, name, label) if column]
    base = alt.Chart(frame[used]).encode(x=across, y=up, tooltip=_tips({name: "", x: x_title, y: y_title}, frame))
    chosen = base.transform_filter(f"datum['{key}'] == choice")
    middle = (float(frame[x].max()) + float(frame[x].min())) / 2 if upright else (float(frame[x].max()) * ticks[1]) ** 0.5
    beside = [(chosen, name, {"fontWeight": "bold"})] + ([(base.transform_filter(f"isValid(datum['{label}']) && datum['{key}'] != choice"), label, {})] if label else [])
    words = [layer for rows, text, style in reversed(beside) for side, test, shift in (("left", "<", 10), ("right", ">=", -10))
             for layer in _haloed(rows.transform_filter(f"datum['{x}'] {test} {middle}").encode(text=text), align=side, dx=shift, **style)]
    chart = alt.layer(base.mark_point(filled=True, size=40, color=CONTEXT, opacity=0.7), chosen.mark_point(filled=True, size=130, color=CONTRAST, opacity=1), *words)
    return chart.add_params(choice).properties(height=height), picker


def picked(frame: pd.DataFrame, x: str, y: str, key: str, name: str, *, value: str, order, missing: str,
           words: str | None = None, label: str = "State", did: str = "joined", marks: dict[str, str] | None = None, step: int = 48):
    """Every state's date as a grey tick, one row a category, and the reader's choice in colour with its date.

    frame: one row a state and category, date missing where it never came. key, name: columns with the state's code and
    name. value: the first choice. missing: words for a date that never came; words: column with such words, where they
    differ by row. label: what the reader chooses; did: what the date says. Returns the chart and the picker for `figure.publish`.
    """
    choice, picker = _picker(frame, key, name, value, label)
    axis, lift = {"x": _years(x), "y": _rows(y, order)}, -step * 0.36
    base = alt.Chart(frame[[column for column in (key, y, x, words) if column]])
    chosen = base.transform_filter(f"datum['{key}'] == choice")
    ticks = base.mark_tick(color=CONTEXT, opacity=0.5, thickness=1, size=step * 0.42).encode(**axis)
    dot = chosen.mark_point(filled=True, size=130, color=CONTRAST, opacity=1).encode(**axis, tooltip=[alt.Tooltip(y, title=" "), _day(x, did)])
    never = chosen.transform_filter(f"!isValid(datum['{x}'])").encode(x=alt.value("width"), y=axis["y"], text=words or alt.value(missing))
    texts = [*_dated(chosen, x, axis, lift), *_haloed(never, align="right", dy=lift, fontStyle="italic")]
    chart = _breaking(alt.layer(*_hairlines(marks or {}, frame[x], above=16), ticks, dot, *texts))
    return chart.add_params(choice).properties(height=alt.Step(step)), picker


def belonging(shares: pd.DataFrame, places: pd.DataFrame, row: str, region: str, share: str, label: str, *, layers: dict[str, list[str]], value: str,
              words: str, key: str = "iso3", name: str = "country", held: str = "held", step: int = 25):
    """What the state of the reader's choice belongs to, and how many of its neighbours do: one row an arrangement, under the name of its layer.

    shares: one row a region and arrangement, with the percentage of the region's states that belong and its words; rows without a row here are zero.
    places: one row a state, with its code, name, region, the arrangements it belongs to as a list (held) and lines of words to print above (a list).
    layers: layer -> its rows, in order. value: the first choice. Returns the chart and the picker for `figure.publish`.
    """
    choice, picker = _picker(places, key, name, value, "State")
    number = {arrangement: position for position, arrangement in enumerate(item for rows in layers.values() for item in rows)}
    facts = {code: [place, [number[item] for item in belongs], lines] for code, place, belongs, lines in zip(places[key], places[region], places[held], places[words])}
    state = alt.param(name="states", value=facts)
    heads = [head.upper() for head in layers]
    order = [item for head, rows in zip(heads, layers.values()) for item in (head, *rows)]
    frame = shares[[row, region, share, label]].assign(_number=shares[row].map(number))
    base = alt.Chart(frame).transform_filter(f"datum['{region}'] == states[choice][0]").transform_calculate(_in=f"indexof(states[choice][1], datum._number) >= 0 ? '{BELONGS[0]}' : '{BELONGS[1]}'")
    lines = _rows(row, order).scale(domain=order)
    lines["axis"]["labelFontWeight"] = alt.condition(f"indexof({heads}, datum.label) >= 0", alt.value("bold"), alt.value("normal"))
    across = alt.X(share, type="quantitative", axis=None, scale=alt.Scale(domain=[0, 190]))
    paint = _colour("_in", dict(zip(BELONGS, (FOCUS, CONTEXT))), type="nominal", legend=None)
    bars = base.mark_bar(size=13).encode(x=across, y=lines, color=paint, tooltip=[alt.Tooltip(row, title=" "), alt.Tooltip(label, title="of its region"), alt.Tooltip("_in", type="nominal", title=" ")])
    tally = base.transform_calculate(_tally=f"datum['{label}'] + (datum._in == '{BELONGS[0]}' ? ' · belongs' : '')").mark_text(align="left", dx=5).encode(
        x=across, y=lines, text="_tally:N")
    told = alt.Chart(alt.sequence(1)).transform_calculate(_lines="states[choice][2]").mark_text(align="left", baseline="top", lineHeight=15).encode(
        x=alt.value(0), y=alt.value(-15 * max(map(len, places[words])) - 4), text="_lines:N")
    return _breaking(alt.layer(bars, tally, told)).add_params(choice, state).properties(height=alt.Step(step)), picker


def followed(frame: pd.DataFrame, x: str, y: str, key: str, name: str, *, value: str, y_title: str, colour: str, colours: dict[str, str],
             solid: str, marks: dict[str, str] | None = None, height: int = 280):
    """One nation through time: the values of the reader's choice as dots on a scale of its own, joined within a series where they lie within three years.

    frame: one row a nation and date. key, name: columns with the nation's code and name. value: the first choice. colour: column of
    the series. solid: boolean column, False draws a hollow dot. y_title: the measure, for the tooltip. Returns the chart and the picker for `figure.publish`.
    """
    choice, picker = _picker(frame, key, name, value, "Nation")
    across = alt.X(x, type="temporal", title=None, axis=alt.Axis(tickCount=8, format="%Y"),
                   scale=alt.Scale(domain=[f"{day:%Y-%m-%d}" for day in (frame[x].min(), frame[x].max())], padding=8))
    axis = {"x": across, "y": alt.Y(y, type="quantitative", title=None, axis=alt.Axis(format=",~r", minExtent=AXIS + 8, maxExtent=AXIS + 8), scale=alt.Scale(zero=True))}
    path = [key, colour]
    gaps = frame.sort_values(x).groupby(path)[x].diff().dt.days.gt(3 * 366).reindex(frame.index)
    frame = frame.assign(_run=gaps.groupby([frame[column] for column in path]).cumsum())
    base = alt.Chart(frame[[x, y, key, name, colour, solid, "_run"]]).transform_filter(f"datum['{key}'] == choice").encode(**axis, color=_colour(colour, colours))
    tips = [*_tips({name: "", y: y_title, colour: ""}, frame), _day(x, "date")]
    dots = [base.transform_filter(f"{sign}datum['{solid}']").mark_point(filled=not sign, size=60, opacity=1).encode(
        tooltip=tips, shape=alt.Shape(colour, scale=_scale(colours, SHAPES[:len(colours)]), legend=_legend())) for sign in ("", "!")]
    who = base.transform_aggregate(groupby=[name]).mark_text(align="right", fontWeight="bold", color=INK).encode(
        x=alt.value("width"), y=alt.value(-14), text=name, color=alt.value(INK))
    lines = base.mark_line(strokeWidth=1.2, opacity=0.7).encode(detail="_run:N")
    chart = alt.layer(*_hairlines(marks or {}, frame[x], above=18), lines, *dots, who)
    return chart.add_params(choice).properties(height=height), picker


def ranked(frame: pd.DataFrame, x: str, y: str, key: str, name: str, *, value: str, label: str, highlight: str, unranked: str | None = None, top: int = 15, step: int = 24):
    """Bars of the rows that lead by the yardstick of the reader's choice, numbered, with those highlighted kept wherever they rank.

    frame: one row a row and yardstick. key, name: columns with the yardstick's code and name, in the order of the menu. label:
    column with the value in words. highlight: boolean column. unranked: a row that stands among the others without a number. Returns the chart and the picker for `figure.publish`.
    """
    choice, picker = _picker(frame, key, name, value, "Yardstick", ordered=True)
    frame = frame.dropna(subset=x)
    groups = frame.groupby(key)[x]
    beside = frame[y].eq(unranked)
    frame = frame.assign(_place=groups.rank(ascending=False, method="first"), _length=frame[x] / groups.transform("max"),
                         _rank=frame[x].mask(beside).groupby(frame[key]).rank(ascending=False, method="first"))
    frame = frame[(frame["_rank"] <= top) | frame[highlight]]
    frame = frame.assign(_row=frame["_rank"].map("{:.0f}".format).replace("nan", "–") + "  " + frame[y])
    rows = alt.Y("_row", type="nominal", title=None, sort=alt.EncodingSortField("_place", op="min"), axis=alt.Axis(labelPadding=6))
    across = alt.X("_length", type="quantitative", axis=None, scale=alt.Scale(domain=[0, 1.25]))
    base = alt.Chart(frame[["_row", "_rank", "_place", "_length", key, y, label, highlight]]).encode(x=across, y=rows)
    paint = alt.condition(f"datum['{highlight}']", alt.value(FOCUS), alt.value(CONTEXT))
    drawn = base.mark_bar(size=13).encode(color=paint, tooltip=[alt.Tooltip(y, title=" "), alt.Tooltip(label, title="value"), alt.Tooltip("_rank", type="quantitative", title="rank")])
    chart = alt.layer(drawn, base.mark_text(align="left", dx=5).encode(text=label)).transform_filter(f"datum['{key}'] == choice")
    return chart.add_params(choice).properties(height=alt.Step(step)), picker


def narrowing(frame: pd.DataFrame, x: str, row: str, stage: str, *, label: str, x_title: str, colours: dict[str, str], ticks: list[float], step: int = 58):
    """How much is left after each stage: one line a row, many at the left and few at the right, tenfold steps, none drawn too.

    frame: one row a row and stage. row: words that stand above the line. stage: column that gives the colour. label: column with the
    number in words, below its dot. ticks: values of the axis, from the most to zero.
    """
    scale = alt.Scale(type="symlog", constant=1, domain=[ticks[0], ticks[-1]], nice=False, padding=18)
    across = alt.X(x, type="quantitative", title=x_title, scale=scale, axis=alt.Axis(values=ticks, format=",d", grid=True, orient="top"))
    lane = alt.Y(row, type="nominal", sort=list(dict.fromkeys(frame[row])), axis=None)
    base = alt.Chart(frame[[x, row, stage, label]]).encode(y=lane)
    line = base.mark_rule(color=CONTEXT, strokeWidth=2).encode(x=alt.X(x, aggregate="max", title=x_title, scale=scale), x2=f"min({x})")
    shape = alt.Shape(stage, scale=_scale(colours, SHAPES[:len(colours)]), legend=_legend())
    points = base.mark_point(filled=True, size=95, opacity=1).encode(x=across, color=_colour(stage, colours), shape=shape, tooltip=_tips({row: "", stage: "", label: "number"}, frame))
    numbers = _haloed(base.encode(x=across, text=label), baseline="top", dy=9)
    words = _haloed(base.transform_aggregate(groupby=[row]).encode(y=lane, x=alt.value(0), text=row), align="left", dy=-16, fontWeight="bold")
    return alt.layer(line, points, *numbers, *words).properties(height=alt.Step(step))


def shared_cost(frame: pd.DataFrame, x: str, y: str, label: str, *, x_title: str, y_title: str, total: float, word: str, height: int = 320):
    """What each member pays as more share a bill: observed points joined in order, and a dashed curve on which the bill stays at `total`.

    frame: one row a date, in order. label: column with the word beside the point, blank for none. word: what the curve says.
    """
    across = alt.X(x, type="quantitative", title=x_title, scale=alt.Scale(zero=False, nice=False, padding=14))
    up = alt.Y(y, type="quantitative", title=y_title, axis=alt.Axis(format=",~r"), scale=alt.Scale(domain=[0, 1.1 * float(frame[y].max())]))
    ends = float(frame[x].min()), float(frame[x].max())
    members = [ends[0] + (ends[1] - ends[0]) * part / 60 for part in range(61)]
    even = pd.DataFrame({x: members, y: [total / count for count in members]})
    curve = alt.Chart(even).mark_line(strokeDash=[5, 3], color=CONTEXT, strokeWidth=1.5).encode(x=across, y=up)
    named = alt.Chart(even.iloc[[36]].assign(word=word)).encode(x=across, y=up, text="word")
    base = alt.Chart(frame[[x, y, label]].assign(_order=range(len(frame)))).encode(x=across, y=up)
    path = base.mark_line(color=FOCUS, strokeWidth=1, opacity=0.6).encode(order="_order:Q")
    points = base.mark_point(filled=True, size=70, color=FOCUS, opacity=1).encode(tooltip=_tips({label: "", x: x_title, y: y_title}, frame))
    texts = _haloed(base.transform_filter(f"isValid(datum['{label}'])").encode(text=label), align="left", dx=7, dy=-8)
    return alt.layer(curve, path, points, *texts, *_haloed(named, align="left", dx=4, dy=-34, fontStyle="italic")).properties(height=height)


def placebo(frame: pd.DataFrame, x: str, y: str, *, observed: str, y_title: str, word: str, gap: tuple[str, str],
            gap_words: list[str], height: int = 260):
    """The same measure at dates when nothing happened (grey) and at the real one (colour). observed: boolean column.

    gap, gap_words: the dates between which nothing is drawn, and why, a line each.
    """
    top = 1.1 * float(frame[y].max())
    axis = {"x": _years(x), "y": alt.Y(y, type="quantitative", title=y_title, scale=alt.Scale(domain=[0, top], nice=False))}
    points = alt.Chart(frame[[x, y, observed]]).encode(**axis, tooltip=[_day(x, "date"), alt.Tooltip(y, title="ratio", format=".2f")])
    one = alt.Chart(pd.DataFrame({"reference": [1], "words": ["no change"]})).encode(y="reference:Q")
    same = one.mark_rule(strokeDash=[4, 3]) + one.mark_text(align="left", dx=4).encode(x=alt.value("width"), text="words")
    grey = points.transform_filter(f"!datum['{observed}']").mark_point(filled=True, size=34, color=CONTEXT, opacity=0.9)
    real = points.transform_filter(f"datum['{observed}']")
    dot = real.mark_point(filled=True, size=130, color=CONTRAST, shape="diamond", opacity=1)
    label = real.mark_text(align="right", dx=-10, fontWeight="bold").encode(text=alt.value(word))
    return alt.layer(*_band(x, *map(pd.Timestamp, gap), gap_words, 0.5 * top), same, grey, dot, label).properties(height=height)


def survival(frame: pd.DataFrame, x: str, y: str, low: str, high: str, *, x_title: str, y_title: str, median: float, word: str,
             band_word: str, ticks: list[float], height: int = 280):
    """The percentage that lasts longer than each time as a step, with its interval as a pale band and the median as a hairline.

    frame: one row a time, percentages. median, word: where half have ended, and what is said there. band_word: what the band is,
    said below it. ticks: values of the time axis.
    """
    across = alt.X(x, type="quantitative", title=x_title, scale=alt.Scale(domain=[0, max(ticks)], nice=False), axis=alt.Axis(values=ticks))
    up = alt.Y(y, type="quantitative", title=y_title, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(values=[0, 25, 50, 75, 100]))
    tips = [alt.Tooltip(x, title=x_title, format=".0f"), alt.Tooltip(y, title=y_title, format=".0f"), alt.Tooltip(low, title="from", format=".0f"), alt.Tooltip(high, title="to", format=".0f")]
    base = alt.Chart(frame[[x, y, low, high]]).encode(x=across)
    band = base.mark_area(interpolate="step-after", color=FOCUS, opacity=0.32).encode(y=alt.Y(low, type="quantitative", title=y_title), y2=high)
    line = base.mark_line(interpolate="step-after", color=FOCUS).encode(y=up, tooltip=tips)
    middle = alt.Chart(pd.DataFrame({x: [median], "words": [word]})).encode(x=alt.X(x, type="quantitative"))
    rule = middle.mark_rule(strokeDash=[4, 3]).encode(y=alt.value(0), y2=alt.value("height"))
    named = alt.Chart(frame[frame[x] <= median / 2].tail(1)[[x, low]]).encode(x=alt.X(x, type="quantitative"), y=alt.Y(low, type="quantitative"), text=alt.value(band_word))
    words = [*_haloed(middle.encode(y=alt.value(4), text="words"), align="left", dx=6, baseline="top"), *_haloed(named, align="right", dy=8, baseline="top", fontStyle="italic")]
    return alt.layer(band, line, rule, *words).properties(height=height)


def _picker(frame: pd.DataFrame, key: str, name: str, value: str, label: str, ordered: bool = False) -> tuple[alt.Parameter, dict]:
    """One choice by the reader: the chart's parameter `choice`, and what the book's menu needs to set it. ordered: keep the frame's order."""
    options = frame[[key, name]].drop_duplicates()
    options = (options if ordered else options.sort_values(name)).astype(str).values.tolist()
    menu = alt.binding_select(options=[code for code, _ in options], labels=[text for _, text in options], name=f"{label} ")
    return alt.param(name="choice", value=value, bind=menu), {"param": "choice", "label": label, "options": options, "value": value}


def _reference(value: float, word: str) -> list:
    """A dashed line across the rows at one value, with its word above them."""
    base = alt.Chart(pd.DataFrame({"reference": [value], "word": [word]})).encode(x="reference:Q")
    return [base.mark_rule(strokeDash=[4, 3]), base.mark_text(baseline="bottom", dy=-3, fontStyle="italic").encode(y=alt.value(0), text="word")]


def _scale(values, tones: list) -> alt.Scale:
    return alt.Scale(domain=list(values), range=tones)


def _legend() -> alt.Legend:
    return alt.Legend(symbolOpacity=1)


def _colour(column: str, colours: dict[str, str], **options) -> alt.Color:
    return alt.Color(column, scale=_scale(colours, list(colours.values())), **{"legend": _legend(), **options})


def _day(column: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(column, type="temporal", title=title, format=DAY)


def _tips(titles: dict[str | None, str], frame: pd.DataFrame) -> list[alt.Tooltip]:
    """Tooltips with words in place of column names, numbers to three digits; entries without a column are left out."""
    return [alt.Tooltip(column, title=title or " ", **({"format": ",.3~r"} if pd.api.types.is_numeric_dtype(frame[column]) else {}))
            for column, title in titles.items() if column]


def _years(x: str) -> alt.X:
    return alt.X(x, type="temporal", title=None, axis=alt.Axis(tickCount=8, format="%Y"))


def _rows(y: str, order, grid: bool = False) -> alt.Y:
    """A nominal axis in the order given, whose labels break into lines at the parameter `wrap`."""
    lines = "split(replace(datum.label, regexp('(.{' + wrap + ',}?) ', 'g'), '$1|'), '|')"
    lift = {"condition": [{"test": f"length({lines}) == 2", "value": -6}, {"test": f"length({lines}) > 2", "value": -13}], "value": 0}
    axis = alt.Axis(grid=grid, labelPadding=8, labelExpr=lines, labelOffset=lift)
    return alt.Y(y, type="nominal", sort=list(dict.fromkeys(order)), title=None, axis=axis)


def _breaking(chart):
    return chart.add_params(alt.param(name="wrap", value=WRAP))


def _haloed(chart, **style) -> list:
    """Text over a rim of paper, so that ticks and hairlines do not strike it through."""
    return [chart.mark_text(stroke=PAPER, strokeWidth=4, strokeJoin="round", **style), chart.mark_text(**style)]


def _dated(chosen, x: str, axis: dict, lift: float) -> list:
    """The chosen dates in words, kept inside the plot at both ends of the record."""
    year, text = f"year(datum['{x}'])", alt.Text(x, type="temporal", format=DAY)
    sides = {"left": (f"{year} < 1982", -8), "center": (f"{year} >= 1982 && {year} < 2008", 0), "right": (f"{year} >= 2008", 8)}
    dated = chosen.transform_filter(f"isValid(datum['{x}'])").encode(**axis, text=text)
    return [layer for side, (when, shift) in sides.items()
            for layer in _haloed(dated.transform_filter(when), align=side, dx=shift, dy=lift, fontWeight="bold")]


def _hairlines(marks: dict[str, str], dates: pd.Series, above: int = 0) -> list:
    """Dated hairlines, each with its word on a line of its own and on the side that has room. above: pixels over the plot."""
    layers, texts = [], []
    for line, (day, word) in enumerate(marks.items()):
        late = pd.Timestamp(day) > dates.min() + 0.4 * (dates.max() - dates.min())
        base = alt.Chart(pd.DataFrame({dates.name: [pd.Timestamp(day)], "word": [word]})).encode(x=alt.X(dates.name, type="temporal"))
        words = base.encode(y=alt.value(14 * line - above), text="word")
        layers += [base.mark_rule(strokeDash=[3, 3], opacity=0.8).encode(y=alt.value(-above), y2=alt.value("height"))]
        texts += _haloed(words, align="right" if late else "left", dx=-5 if late else 5, baseline="top")
    return layers + texts


def _band(x: str, first: pd.Timestamp, last: pd.Timestamp, words: list[str], y: float) -> list:
    """A pale band between two dates that says why nothing is drawn there."""
    base = alt.Chart(pd.DataFrame({x: [first], "until": [last], "middle": [first + (last - first) / 2]}))
    shade = base.mark_rect(color=GRID, opacity=0.4).encode(x=_years(x), x2="until")
    return [shade, base.mark_text(text=words, lineHeight=14).encode(x=alt.X("middle", type="temporal"), y=alt.datum(y))]


def _line_ends(frame: pd.DataFrame, x: str, series: str) -> pd.DataFrame:
    """The last value of each line, moved to the right edge unless the line stops well before it."""
    ends, last = frame.sort_values(x).groupby(series).tail(1), frame[x].max()
    late = ends[x] > last - 0.1 * (last - frame[x].min())
    return ends.assign(**{x: ends[x].where(~late, last)})


def _spread(ends: pd.DataFrame, y: str, domain: list[float], height: int) -> pd.DataFrame:
    """Labels of lines that end close together, pushed apart by at least the height of a line of text. domain: both ends of the axis."""
    gap = 15 / height * (domain[1] - domain[0])
    ends, placed = ends.sort_values(y), []
    for value in ends[y].astype(float):
        placed.append(max(value, placed[-1] + gap) if placed else value)
    return ends.assign(_label_y=placed)


def _csv_data(frame: pd.DataFrame) -> dict:
    """Chart data as one CSV string, a sixth of the size of records, with numbers rounded to six digits."""
    names = {"i": "number", "u": "number", "f": "number", "b": "boolean", "M": "date"}
    kinds = {column: _kind(frame[column]) for column in frame}
    rounded = {column: frame[column].map(significant) for column, kind in kinds.items() if kind == "f"}
    spelled = {column: frame[column].map({True: "true", False: "false"}) for column, kind in kinds.items() if kind == "b"}
    text = alt.utils.sanitize_pandas_dataframe(frame.assign(**rounded, **spelled)).to_csv(index=False, lineterminator="\n")
    return {"values": text, "format": {"type": "csv", "parse": {str(column): names.get(kind, "string") for column, kind in kinds.items()}}}


def _kind(column: pd.Series) -> str:
    """numpy's letter for a column's type, also for pandas' own number and boolean types."""
    return getattr(column.dtype, "numpy_dtype", column.dtype).kind if not isinstance(column.dtype, pd.StringDtype) else "O"


alt.data_transformers.register("evidence-csv", _csv_data)
