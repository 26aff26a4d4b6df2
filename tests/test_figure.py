"""Figure furniture: nothing is published without finding, source, caveat and alternative text."""
import io
import json
import re

import altair as alt
import pandas as pd
import pytest
import vegalite
from evidence import charts, data, figure, text
from hypothesis import given, settings
from hypothesis import strategies as st

FRAME = pd.DataFrame({"date": pd.to_datetime(["2000-01-01", "2001-01-01", "2002-01-01"] * 2), "n": [1.0, 2.123456789, 30.0, 2.0, 3.0, 31.0], "who": ["a"] * 3 + ["b"] * 3})
GOOD = {"id": "fig-test", "title": "Parties rose from 4 to 122", "subtitle": "States", "tables": ["legal/council_bodies"], "alt": "Line chart of parties by year, rising from four to one hundred and twenty-two."}

SPANS = pd.DataFrame({"from": pd.to_datetime(["2001-09-12", "2001-09-28", "2003-08-11"]), "to": pd.to_datetime(["2001-09-12", None, "2014-12-28"]),
                      "what": ["a vote", "a law", "a command"], "state": ["gone", "there", "gone"]})

PAIRS = pd.DataFrame({"one": ["a", "c"], "other": ["b", "b"], "kind": ["x", "y"], "said": ["first", "second"]})
NEAR = pd.DataFrame({"row": ["p", "q", "p", "q"], "home": ["north", "north", "south", "south"], "share": [50.0, 100.0, 0.0, 0.0], "label": ["1 of 2", "2 of 2", "none", "none"]})
HOMES = pd.DataFrame({"iso3": ["A", "B"], "country": ["Aa", "Bb"], "home": ["north", "south"], "held": [["q"], []], "words": [["Aa: one", "more"], ["Bb: none"]]})
YARDS = pd.DataFrame({"who": ["a", "b", "c", "d"] * 2, "n": [4.0, 3.0, 2.0, 1.0, None, 2.0, 3.0, 4.0], "code": ["t"] * 4 + ["p"] * 4, "yard": ["Troops"] * 4 + ["Per head"] * 4,
                      "said": list("43210234"), "named": [False, False, False, True] * 2})


def lines():
    return charts.steps(FRAME, "date", "n", "who", y_title="Parties")


def meta(output):
    return output.bundle[figure.CHART]["usermeta"]["evidence"]


@pytest.mark.parametrize(("change", "words"), [
    ({"alt": "A chart"}, "alternative text"), ({"alt": ""}, "alternative text"), ({"alt": "output_of_the_cell_number_seventeen_of_it.png"}, "alternative text"),
    ({"title": "Parties rose"}, "no number"), ({"title": "One " + "very " * 15 + "long title"}, "at most 15"),
    ({"tables": []}, "names no table"), ({"caveats": ()}, "counted from 0"), ({"caveats": (9,)}, r"caveats is \(9,\); legal/council_bodies has \d"), ({"caveats": 0}, "caveats is 0")])
def test_a_figure_without_its_furniture_is_refused(change, words):
    with pytest.raises(figure.FigureError, match=words):
        figure.publish(lines(), **{**GOOD, **change})


def test_source_and_caveat_come_from_the_descriptor():
    found = meta(figure.publish(lines(), **GOOD))
    assert found["note"] == data.describe("legal/council_bodies")["caveats"][0]
    assert found["sources"] and found["sources"][0]["id"] in set(data.load("sources")["source_id"])
    assert found["tables"] == [{"name": "legal/council_bodies", "rows": 13}]
    assert len(found["sources"]) + found["more_sources"] == data.load("legal/council_bodies")["source_id"].nunique()
    with pytest.raises(TypeError):
        figure.publish(lines(), **GOOD, note="typed by hand")


def test_the_source_line_names_the_sources_of_what_is_drawn():
    rows = data.load("legal/council_bodies").head(1)
    found = meta(figure.publish(lines(), **GOOD, drawn={"legal/council_bodies": rows}))
    assert [source["id"] for source in found["sources"]] == rows["source_id"].tolist() and found["more_sources"] == 0
    assert found["tables"] == [{"name": "legal/council_bodies", "rows": 13}]
    for drawn, words in (({"legal/other": rows}, "not among its tables: legal/council_bodies"), ({"legal/council_bodies": rows[["source_id"]].head(0)}, "have no source")):
        with pytest.raises(figure.FigureError, match=words):
            figure.publish(lines(), **GOOD, drawn=drawn)


def test_what_a_notebook_stores_is_rounded_and_repeatable():
    one, two = (json.dumps(figure.publish(lines(), **GOOD).bundle[figure.CHART]) for _ in range(2))
    assert one == two and "2.12346" in one and "2.123456" not in one


def test_a_table_writes_its_cells():
    frame = pd.DataFrame({"Who": ["a", None], "Parties": [1234, 5], "Day": pd.to_datetime(["2001-09-28", "2002-01-01"])})
    found = figure.tabulate(frame, **{key: GOOD[key] for key in ("title", "subtitle", "tables")}, id="tbl-test").bundle[figure.TABLE]
    assert found["rows"] == [["a", "1,234", "2001-09-28"], ["–", "5", "2002-01-01"]]
    assert [column["align"] for column in found["columns"]] == ["left", "right", "left"]


@pytest.mark.parametrize("chart", [
    lines(),
    charts.dots(pd.DataFrame({"x": [1, 2], "y": ["a", "b"], "low": [0, 1], "high": [2, 3], "k": ["u", "v"], "t": ["1", "2"]}), "x", "y", x_title="x", low="low", high="high", colour="k", colours={"u": charts.FOCUS, "v": charts.CONTRAST}, label="t"),
    charts.bars(pd.DataFrame({"x": [1, 2], "y": ["a", "b"], "t": ["1", "2"], "h": [True, False]}), "x", "y", x_title="x", label="t", highlight="h"),
    charts.stacked(pd.DataFrame({"y": ["a", "a"], "p": ["Yes", "No"], "v": [10, 20]}), "y", "p", "v", x_title="votes", colours={"Yes": charts.FOCUS, "No": charts.CONTRAST}),
    charts.placebo(FRAME.assign(real=[False] * 5 + [True]), "date", "n", observed="real", y_title="ratio", word="now", gap=("2000-06-01", "2000-09-01"), gap_words=["left out"]),
    charts.picked(FRAME.assign(code=["A", "B", "C"] * 2, name=["Aa", "Bb", "Cc"] * 2), "date", "who", "code", "name", value="A", order=["a", "b"], missing="never")[0],
    charts.spans(SPANS, "from", "to", "what", colour="state", colours={"there": charts.FOCUS, "gone": charts.CONTEXT}, until="2021-12-31"),
    charts.lanes(SPANS.assign(row=["a", "b", "c"][:len(SPANS)], over=[None, "a", "a"][:len(SPANS)], sure=True, known=[True, True, False], loose=False), "from", "to", "row", "over", label="what", colour="state",
                 colours={"there": charts.FOCUS, "gone": charts.CONTEXT}, firm=("sure", "known"), loose="loose", order={"Lane": ["a", "b", "c"]}, until="2021-12-31"),
    charts.panels(FRAME, "date", "n", "who", marks={"2001-06-01": "a break"}),
    charts.panels(FRAME, "date", "n", "who", marks={"2001-06-01": "a break"}, day_format="%b %Y", room=1.2),
    charts.panels(FRAME.assign(words="x"), "date", "n", "who", label="words", alike=True),
    charts.tiles(FRAME.assign(kind=["x", "y", "z"] * 2, n=FRAME["n"].astype("str")), "kind", "who", "n", colours={"1.0": charts.FOCUS, "2.0": charts.CONTRAST}, order=["x", "y", "z"]),
    charts.scatter(FRAME.assign(code=list("ABCDEF"), share=FRAME["n"] * 2), "n", "share", "code", "who", x_title="x", y_title="y", ticks=[0, 1, 10], value="A")[0],
    charts.scatter(FRAME.assign(code=list("ABCDEF"), words=["x", ""] * 3, share=FRAME["n"] * 2), "n", "share", "code", "who", x_title="x", y_title="y", ticks=[0, 1, 10], value="A", upright=True, label="words")[0],
    charts.followed(FRAME.assign(code=FRAME["who"].str.upper(), kind="k", whole=[True, False, True] * 2), "date", "n", "code", "who", value="A", y_title="n", colour="kind", colours={"k": charts.FOCUS}, solid="whole")[0],
    charts.ranked(YARDS, "n", "who", "code", "yard", value="t", label="said", highlight="named", top=2)[0],
    charts.matrix(PAIRS, "one", "other", "kind", "said", order=["a", "b", "c"], blocks={"north": 2, "south": 1}, colours={"x": charts.SHADES[0], "y": charts.UNSURE[0]}),
    charts.belonging(NEAR, HOMES, "row", "home", "share", "label", layers={"police": ["p"], "border": ["q"]}, value="A", words="words")[0],
    charts.stacked(pd.DataFrame({"y": ["a", "a"], "p": ["Yes", "No"], "v": [1, 2]}), "y", "p", "v", x_title="votes", colours={"Yes": charts.FOCUS, "No": charts.CONTRAST}, few=True),
    charts.dots(FRAME, "n", "who", x_title="x", reference=(5, "no change")),
    charts.steps(FRAME, "date", "n", "who", y_title="Parties", points=True),
    charts.waffle(pd.DataFrame({"who": ["a", "b"], "n": [1, 90]}), "who", "n", unit=5, colours={"a": charts.CONTRAST, "b": charts.CONTEXT}),
    charts.narrowing(pd.DataFrame({"n": [900, 0], "r": ["a", "a"], "s": ["u", "v"], "t": ["900", "0"]}), "n", "r", "s", label="t", x_title="n", colours={"u": charts.FOCUS, "v": charts.CONTRAST}, ticks=[1000, 10, 0]),
    charts.shared_cost(pd.DataFrame({"m": [2, 4], "fee": [50, 25], "t": ["a", ""]}), "m", "fee", "t", x_title="m", y_title="fee", total=100, word="even"),
    charts.dots(pd.DataFrame({"x": [1, 90], "y": ["a", "b"], "t": ["1", "90"]}), "x", "y", x_title="x", label="t", ticks=[1, 10, 100]),
], ids=["steps", "dots", "bars", "stacked", "placebo", "picked", "spans", "lanes", "panels", "room", "labels", "tiles", "scatter", "upright", "followed", "ranked", "matrix", "belonging", "few", "reference", "points", "waffle", "narrowing", "shared-cost", "log"])
def test_every_chart_form_draws_and_uses_only_the_house_colours(chart):
    import vl_convert

    spec = charts.specification(chart, "Title", "Subtitle")
    svg = vl_convert.vegalite_to_svg(spec)
    assert "<path" in svg or "<text" in svg
    allowed = {colour.lower() for colour in (*charts.PALETTE, *charts.SOLID.values(), *charts.SHADES, *charts.UNSURE, charts.INK, charts.GRID, "#ffffff")}
    assert {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", json.dumps(spec))} <= allowed


def test_a_picker_offers_every_state_once():
    chart, picker = charts.picked(FRAME.assign(code=["A", "B", "A"] * 2, name=["Zed", "Bb", "Zed"] * 2), "date", "who", "code", "name", value="A", order=["a", "b"], missing="never")
    assert picker["options"] == [["B", "Bb"], ["A", "Zed"]] and isinstance(chart, alt.LayerChart)


def test_a_ranking_drops_what_is_missing_keeps_what_is_highlighted_and_the_order_of_its_menu():
    chart, picker = charts.ranked(YARDS, "n", "who", "code", "yard", value="t", label="said", highlight="named", top=2)
    assert picker["label"] == "Yardstick" and picker["options"] == [["t", "Troops"], ["p", "Per head"]]
    rows = chart.to_dict()["datasets"].values()
    drawn = {row["code"] + row["_row"] for frame in rows for row in frame}
    assert drawn == {"t1  a", "t2  b", "t4  d", "p1  d", "p2  c"}, "the missing value is not ranked, the highlighted fourth is kept"


def test_a_matrix_draws_each_pair_once_below_the_diagonal_and_cuts_long_names_on_a_phone():
    chart = charts.matrix(PAIRS, "one", "other", "kind", "said", order=["a", "b", "c"], blocks={"north": 2, "south": 1}, colours={"x": charts.SHADES[0], "y": charts.UNSURE[0]})
    spec = vegalite.plain(charts.specification(chart, "Title", "Subtitle"))
    drawn = [(row["_x"], row["_y"]) for rows in spec["datasets"].values() for row in rows if "_y" in row]
    assert drawn == [(0, 1), (1, 2)], "the pair given as c and b lies below the diagonal too"
    words = spec["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]
    assert f"wrap > {charts.NARROW_WRAP}" in words and f"truncate(names[floor(datum.value)], {charts.NARROW_WRAP + 1})" in words, "every row keeps a name at every width"


def test_a_state_knows_its_region_its_arrangements_and_its_words():
    chart, picker = charts.belonging(NEAR, HOMES, "row", "home", "share", "label", layers={"police": ["p"], "border": ["q"]}, value="A", words="words")
    facts = next(param["value"] for param in chart.to_dict()["params"] if param["name"] == "states")
    assert facts == {"A": ["north", [1], ["Aa: one", "more"]], "B": ["south", [], ["Bb: none"]]} and picker["options"] == [["A", "Aa"], ["B", "Bb"]]


def test_what_has_not_ended_runs_to_the_edge_with_an_arrow():
    spec = charts.specification(charts.spans(SPANS, "from", "to", "what", colour="state", colours={"there": charts.FOCUS, "gone": charts.CONTEXT}, until="2021-12-31"), "Title", "Subtitle")
    rows = next(iter(spec["datasets"].values())) if "datasets" in spec else json.dumps(spec)
    assert "2021-12-31" in str(rows) and str(rows).count("true") == 1


def test_small_multiples_stand_in_one_column_on_a_phone_and_lower_in_print():
    spec = charts.specification(charts.panels(FRAME, "date", "n", "who", height=100), "Title", "Subtitle")
    patch = vegalite.phone_patch(vegalite.plain(spec), {"width": charts.NARROW, "wrap": charts.NARROW_WRAP})
    assert patch["columns"] == 1 and "width" not in patch
    assert vegalite._lower(spec)["spec"]["height"] == 78 and spec["spec"]["height"] == 100


def test_labels_at_line_ends_stand_a_line_of_text_apart_on_their_axis():
    frame = pd.DataFrame({"date": pd.to_datetime(["2001-01-01", "2002-01-01"] * 2), "n": [1.0, 2.0, 2.0, 2.0], "who": ["a", "a", "b", "b"]})
    chart = charts.specification(charts.steps(frame, "date", "n", "who", y_title="N", top=6, height=280), "Title", "Subtitle")
    ends = next(pd.read_csv(io.StringIO(rows)) for rows in chart["datasets"].values() if "_label_y" in rows)
    assert ends["_label_y"].max() - ends["_label_y"].min() == pytest.approx(15 * 6 / 280, abs=1e-4)


def test_a_row_without_a_rank_stands_among_the_ranked():
    chart, _ = charts.ranked(YARDS.assign(named=True), "n", "who", "code", "yard", value="t", label="said", highlight="named", unranked="a")
    text = next(iter(charts.specification(chart, "Title", "Subtitle")["datasets"].values()))
    assert [line.split(",")[0] for line in text.splitlines()[1:5]] == ["–  a", "1  b", "2  c", "3  d"]


def test_a_phone_takes_what_differs_and_keeps_the_rest():
    spec = {"params": [{"name": "wrap", "value": 40}, {"name": "states", "value": {"ABW": []}}], "config": {"font": "x", "legend": {"orient": "top"}}, "height": {"step": 20}, "width": 10}
    patch = vegalite.phone_patch(spec, {"width": charts.NARROW, "wrap": charts.NARROW_WRAP})
    assert "ABW" not in json.dumps(patch) and "font" not in patch["config"]
    phone = vegalite.patched(spec, patch)
    assert phone["params"] == [{"name": "wrap", "value": charts.NARROW_WRAP}, spec["params"][1]] and phone["width"] == charts.NARROW
    assert phone["config"] == {"font": "x", "legend": {"orient": "top", "direction": "vertical"}} and phone["height"]["step"] > 20


def test_a_missing_value_breaks_the_line_and_a_line_that_stops_early_keeps_its_label_there():
    frame = FRAME.assign(n=FRAME["n"].where(FRAME["who"] == "a", [None, None, None, 2.0, None, None]))
    ends = charts._line_ends(frame.dropna(subset="n"), "date", "who").set_index("who")["date"]
    assert ends["a"] == pd.Timestamp("2002-01-01") and ends["b"] == pd.Timestamp("2000-01-01")


def luminance(colour: str) -> float:
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(weight * (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4) for weight, p in zip((0.2126, 0.7152, 0.0722), parts))


@pytest.mark.parametrize("colour", charts.SOLID.values())
def test_white_numbers_can_be_read_on_every_bar(colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("ground", ["#ffffff", "#14181e"])
@pytest.mark.parametrize("colour", [*charts.PALETTE, *charts.SOLID.values()])
def test_every_colour_stands_out_on_both_grounds(colour, ground):
    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


@settings(deadline=None)
@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_rounding_keeps_six_digits_and_is_stable(value):
    rounded = text.significant(value)
    assert text.significant(rounded) == rounded
    assert abs(rounded - value) <= abs(value) * 1e-5


@pytest.mark.parametrize(("call", "said"), [
    (lambda: text.number(5668), "5,668"), (lambda: text.percent(0.634), "63%"), (lambda: text.change(0.113), "+11%"), (lambda: text.change(-0.376), "−38%"), (lambda: text.times(5.61), "5.6 times"), (lambda: text.times(29.5), "30 times"),
    (lambda: text.day("2001-09-28"), "28 September 2001"), (lambda: text.day("2001-09"), "September 2001"), (lambda: text.day("2001"), "2001"),
    (lambda: text.listing(["a", "b", "c"]), "a, b and c"), (lambda: text.listing(["a"]), "a"), (lambda: text.listing([]), "none"), (lambda: text.word(3), "three"), (lambda: text.word(186), "186")])
def test_numbers_are_said_as_people_write_them(call, said):
    assert call() == said


def test_the_words_before_a_number_say_how_exact_it_is():
    assert list(text.qualified(pd.Series(["more_than", None, "exact", "inferred"]))) == ["more than ", "", "", ""]
    with pytest.raises(ValueError, match="'qualifier' has 'roughly', which is none of exact, about"):
        text.qualified(pd.Series(["exact", "roughly"], name="qualifier"))
