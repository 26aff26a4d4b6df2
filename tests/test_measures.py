"""Measures against hand-worked values, published values and properties that must hold for any input."""
import numpy as np
import pandas as pd
import pytest
from evidence import data, measures
from hypothesis import given, settings
from hypothesis import strategies as st

PANEL_END = "2014-07-10"


@pytest.fixture(scope="module")
def panel():
    return data.load("legal/treaty_actions")


@pytest.fixture
def small():
    """Two instruments and three States, worked out by hand in the tests."""
    rows = [("a", "AAA", "2000-01-01", "2000-07-01", "ratification"), ("a", "BBB", "2000-02-01", "2001-01-01", "ratification"),
            ("a", "CCC", None, "2001-07-01", "succession"), ("b", "AAA", "2001-01-01", None, None)]
    frame = pd.DataFrame(rows, columns=["instrument_id", "iso3", "signature_date", "consent_date", "consent_type"])
    return frame.assign(signature_date=pd.to_datetime(frame["signature_date"]), consent_date=pd.to_datetime(frame["consent_date"]))


def test_instruments_without_parties_count_zero(small):
    assert measures.parties_on(small, "2000-12-31").to_dict() == {"a": 1, "b": 0}
    assert measures.joined_between(small, "1990-01-01", "1991-01-01").to_dict() == {"a": 0, "b": 0}


def test_the_end_day_is_left_out_and_the_start_day_counts(small):
    assert measures.joined_between(small, "2000-07-01", "2001-01-01")["a"] == 1
    assert measures.joined_between(small, "2001-01-01", "2001-07-01")["a"] == 1


def test_the_nth_party_that_never_came_is_missing(small):
    adopted = pd.Series({"a": "2000-01-01", "b": "2001-01-01"})
    years = measures.years_to_nth_party(small, adopted, 2)
    assert years["a"] == pytest.approx(366 / 365.25) and np.isnan(years["b"])


def test_spells_by_hand(small):
    states = pd.Series({"AAA": pd.NaT, "BBB": pd.NaT, "CCC": pd.Timestamp("2001-01-01"), "DDD": pd.Timestamp("2020-01-01")}, dtype="datetime64[us]")
    rows = measures.spells(small, states, "2002-01-01").set_index(["instrument_id", "iso3"])
    assert rows.loc[("a", "AAA"), "joined"] and rows.loc[("a", "AAA"), "stop"] == pd.Timestamp("2000-07-01")
    assert not rows.loc[("a", "CCC"), "joined"], "a succession ends the time at risk without counting"
    assert rows.loc[("a", "CCC"), "start"] == pd.Timestamp("2001-01-01"), "nobody is at risk before independence"
    assert ("a", "DDD") not in rows.index and ("b", "DDD") not in rows.index, "a State that came after the end was never at risk"
    assert rows.loc[("b", "BBB"), "stop"] == pd.Timestamp("2002-01-01")


def test_splitting_keeps_joins_and_time(panel):
    states = pd.Series(pd.NaT, index=sorted(panel["iso3"].unique()), dtype="datetime64[us]")
    rows = measures.spells(panel, states, PANEL_END)
    pieces = measures.split_spells(rows, {"before": "1970-01-01", "after": "2001-09-11"})
    assert pieces["joined"].sum() == rows["joined"].sum()
    assert pieces["years"].sum() == pytest.approx((rows["stop"] - rows["start"]).dt.days.sum() / measures.YEAR)
    assert (pieces["years"] > 0).all() and pieces["age"].isin(measures.AGES).all()


def test_joining_rate_by_hand():
    pieces = pd.DataFrame({"period": ["p"] * 4, "joined": [1, 1, 0, 0], "years": [1.0, 2.0, 3.0, 4.0]})
    row = measures.joining_rates(pieces, ["period"]).iloc[0]
    assert row["rate"] == pytest.approx(20) and row["low"] < 20 < row["high"]
    assert (row["low"], row["high"]) == (pytest.approx(2.422, abs=1e-3), pytest.approx(72.247, abs=1e-3)), "exact Poisson limits for two events, from tables"


def test_rate_ratio_finds_a_ratio_that_was_put_in():
    generator = np.random.default_rng(1)
    rows = [(f"i{i}", f"S{s:03}", period, age, 1.0, int(generator.random() < (0.05 if period == "before" else 0.15)))
            for i in range(4) for s in range(200) for period, age in (("before", 0), ("before", 1), ("after", 1 if i % 2 else 2))]
    pieces = pd.DataFrame(rows, columns=["instrument_id", "iso3", "period", "age", "years", "joined"])
    found = measures.joining_rate_ratio(pieces, "after", "before")
    assert found["low"] < 3 < found["high"] and found["states"] == 200


def test_before_after_by_hand():
    day = pd.Timestamp
    rows = pd.DataFrame({"instrument_id": "a", "iso3": ["A", "B", "C"], "opened": day("1990-01-01"), "start": day("1990-01-01"),
                         "stop": [day("2000-07-01"), day("2001-07-01"), day("2010-01-01")], "joined": [True, True, False]})
    result = measures.before_after(rows, "2001-01-01", 1)
    at_risk_before, at_risk_after = 183 + 365 + 365, 181 + 365  # days; the window before starts on 2 January 2000
    assert (result["joins_before"], result["joins_after"]) == (1, 1)
    assert result["ratio"] == pytest.approx((at_risk_before - 2 - 0) / at_risk_after, rel=0.01)


def test_no_joins_before_gives_no_ratio():
    day = pd.Timestamp
    rows = pd.DataFrame({"instrument_id": ["a"], "iso3": ["A"], "opened": [day("1990-01-01")], "start": [day("1990-01-01")], "stop": [day("2001-06-01")], "joined": [True]})
    assert np.isnan(measures.before_after(rows, "2001-01-01", 1)["ratio"])


def test_published_party_counts_are_met(panel):
    assert measures.parties_on(panel, "2008-10-31")["financing_1999"] == 167
    assert measures.parties_on(panel, "2001-09-10")["financing_1999"] == 4, "as an independent study names them"
    assert measures.parties_on(panel, "2013-09-30")["bombings_1997"] == 167


def test_the_opening_of_the_conventions_is_read_rightly(panel):
    opened = measures.opening_dates(panel)
    assert opened["financing_1999"] == pd.Timestamp("2000-01-10") and opened["nuclear_terrorism_2005"] == pd.Timestamp("2005-09-14")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.dates(pd.Timestamp("1980-01-01").date(), pd.Timestamp("2013-12-31").date())), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_party_curve_never_falls_and_ends_at_the_number_of_parties(joins):
    frame = pd.DataFrame(joins, columns=["instrument_id", "consent_date"]).assign(consent_date=lambda f: pd.to_datetime(f["consent_date"]))
    curve = measures.party_curve(frame, end="2014-01-01")
    for name, line in curve.groupby("instrument_id"):
        assert line["parties"].is_monotonic_increasing
        assert line["parties"].iloc[-1] == (frame["instrument_id"] == name).sum()


@given(st.integers(1, 40), st.integers(41, 90), st.integers(1, 40), st.integers(41, 90))
@settings(max_examples=60, deadline=None)
def test_a_share_ratio_lies_in_its_interval(events_after, total_after, events_before, total_before):
    result = measures.share_ratio(events_after, total_after, events_before, total_before)
    assert result["low"] <= result["ratio"] <= result["high"]
    assert result["ratio"] == pytest.approx(result["after"] / result["before"])


def test_partial_rank_correlation_by_hand_and_by_symmetry():
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(generator.normal(size=(60, 3)), columns=list("xyz")).assign(y=lambda f: f["y"] + f["x"])
    ranks = frame.corr(method="spearman")
    expected = (ranks.loc["x", "y"] - ranks.loc["x", "z"] * ranks.loc["y", "z"]) / np.sqrt((1 - ranks.loc["x", "z"] ** 2) * (1 - ranks.loc["y", "z"] ** 2))
    found = measures.rank_correlation(frame, "x", "y", "z", draws=50)
    assert found["correlation"] == pytest.approx(expected)
    assert measures.rank_correlation(frame, "y", "x", "z", draws=50)["correlation"] == pytest.approx(expected)
    assert found == measures.rank_correlation(frame, "x", "y", "z", draws=50), "the draws are seeded"


def test_nothing_to_divide_is_refused():
    for amounts in ([], [0, 0], [-1, 2]):
        with pytest.raises(ValueError, match="amounts"):
            measures.concentration(amounts)
    with pytest.raises(ValueError, match="without a gap"):
        measures.share_placebo(pd.DataFrame({"year": [2000, 2002], "events": [1, 1], "total": [2, 2]}), "events", "total", 1)


def test_no_event_before_has_no_upper_limit():
    assert np.isinf(measures.rate_ratio(3, 1, 0, 1)["ratio"]) and np.isinf(measures.rate_ratio(3, 1, 0, 1)["high"])
    assert np.isnan(measures.rate_ratio(0, 1, 0, 1)["ratio"])
    assert np.isnan(measures.share_placebo(pd.DataFrame({"year": [1, 2, 3], "events": [0, 1, 1], "total": [9, 9, 9]}), "events", "total", 1).loc[0, "ratio"])


def test_equal_amounts_are_not_concentrated_and_one_holder_is():
    even, one = measures.concentration([5, 5, 5, 5]), measures.concentration([0, 0, 0, 7])
    assert (even["gini"], even["effective"], even["largest"]) == (pytest.approx(0), pytest.approx(4), pytest.approx(0.25))
    assert (one["gini"], one["effective"], one["largest"]) == (pytest.approx(0.75), pytest.approx(1), pytest.approx(1))


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40), st.floats(0.1, 1000))
def test_concentration_does_not_hang_on_the_unit(amounts, factor):
    one, other = measures.concentration(amounts), measures.concentration([factor * amount for amount in amounts])
    assert one["gini"] == pytest.approx(other["gini"], abs=1e-9) and 1 - 1e-9 <= one["effective"] <= len(amounts) + 1e-6


def test_a_rate_ratio_counts_the_years():
    found = measures.rate_ratio(20, 10, 10, 20)
    assert found["ratio"] == pytest.approx(4) and found["low"] < 4 < found["high"]
    assert measures.rate_ratio(10, 1, 10, 1)["low"] == pytest.approx(0.375, abs=0.01)  # exact conditional limits of two equal counts of ten


def test_placebo_windows_leave_the_year_itself_out():
    frame = pd.DataFrame({"year": range(2000, 2005), "events": [1, 1, 50, 4, 4], "total": [10] * 5})
    found = measures.share_placebo(frame, "events", "total", 2)
    assert found.to_dict("records") == [{"year": 2002, "before": 0.1, "after": 0.4, "ratio": pytest.approx(4)}]


def test_rank_correlation_of_a_monotone_pair_is_one():
    frame = pd.DataFrame({"x": np.arange(30.0), "y": np.arange(30.0) ** 3})
    assert measures.rank_correlation(frame, "x", "y", draws=200)["correlation"] == pytest.approx(1)


def test_depth_counts_conventions_joined_by_the_day_and_deaths_in_the_years(small):
    deaths = pd.DataFrame({"iso3": ["AAA", "AAA", "BBB"], "year": [1999, 2005, 2005], "civilians_killed": [3, 5, 7]})
    found = measures.depth_and_violence(small, deaths, ["AAA", "BBB", "ZZZ"], "2000-12-31", (1990, 2000), (2004, 2006))
    assert found.to_dict("index") == {"AAA": {"conventions": 1, "earlier": 3, "later": 5}, "BBB": {"conventions": 0, "earlier": 0, "later": 7},
                                      "ZZZ": {"conventions": 0, "earlier": 0, "later": 0}}


def test_a_share_of_nothing_is_refused_and_others_have_exact_limits():
    for count, total in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no share"):
            measures.proportion(count, total)
    assert measures.proportion(0, 10)["low"] == 0 and measures.proportion(0, 10)["high"] == pytest.approx(0.308, abs=0.001)  # 1 - 0.025 ** 0.1


def test_a_burden_needs_something_to_carry_it():
    with pytest.raises(ValueError, match="below zero"):
        measures.burden(pd.Series({"A": 1}), {"people": pd.Series({"A": -1})})
    found = measures.burden(pd.Series({"A": 10, "B": 10, "C": 10}), {"people": pd.Series({"A": 2.0, "B": 0.0})})
    assert found["people"]["A"] == 5 and found["people"].isna().tolist() == [False, True, True], "zero and unknown give no yardstick"


def test_a_yearly_pace_needs_counts_and_years_and_doubles_in_seven_at_a_tenth():
    for first, last, years in ((0, 5, 1), (5, 0, 1), (5, 5, 0)):
        with pytest.raises(ValueError, match="has no pace"):
            measures.yearly_pace(first, last, years)
    assert measures.yearly_pace(100, 121, 2) == pytest.approx(10) and measures.yearly_pace(7, 7, 3) == 0


def test_an_event_rate_needs_exposure_and_has_exact_limits():
    for count, exposure in ((-1, 1), (1, 0), (1, np.nan)):
        with pytest.raises(ValueError, match="is no rate"):
            measures.event_rate(count, exposure)
    none, two = measures.event_rate(0, 2.0), measures.event_rate(2, 1.0)
    assert none["rate"] == none["low"] == 0 and none["high"] == pytest.approx(3.689 / 2, abs=1e-3)
    assert (two["low"], two["high"]) == (pytest.approx(0.2422, abs=1e-4), pytest.approx(7.2247, abs=1e-4)), "exact limits for two events, from tables"


@pytest.fixture
def clubs():
    """Four States in two clubs that meet in C, a fifth alone in a third; one membership is listed twice."""
    rows = [("a", "A"), ("a", "B"), ("a", "C"), ("b", "C"), ("b", "D"), ("c", "E"), ("a", "A"), ("d", "A"), ("d", "B")]
    return pd.DataFrame(rows, columns=["arrangement_id", "iso3"])


def test_a_membership_listed_twice_counts_once(clubs):
    pairs = measures.shared_memberships(clubs).set_index(["first", "second"])
    assert pairs["shared"].to_dict() == {("A", "B"): 2, ("A", "C"): 1, ("B", "C"): 1, ("C", "D"): 1}
    assert pairs.loc[("A", "B"), "arrangements"] == ["a", "d"]


def test_blocs_and_bridges_of_a_known_network(clubs):
    assert measures.blocs(clubs) == [["A", "B", "C", "D"], ["E"]], "a State alone in its club is a bloc of one"
    assert measures.blocs(clubs[clubs["iso3"] != "C"]) == [["A", "B"], ["D"], ["E"]], "without the bridge the clubs fall apart"
    found = measures.go_between(clubs)
    assert found["C"] == pytest.approx(100 * 2 / 6) and found.drop("C").eq(0).all(), "C lies between A and D, and B and D, of six pairs of others"
    assert measures.go_between(clubs.sample(frac=1, random_state=1)).equals(found), "the order of rows does not matter"


def test_partners_and_what_neighbours_have(clubs):
    closest = measures.closest_partners(clubs)
    assert closest.loc["A"].to_dict() == {"shared": 2, "partners": ["B"]} and closest.loc["C", "partners"] == ["A", "B", "D"] and "E" not in closest.index
    regions = pd.Series({"A": "north", "B": "north", "D": "north", "F": "south"})
    assert measures.held_by_neighbours(clubs, regions).to_dict() == {"A": ["b"], "B": ["b"], "D": ["a", "d"], "F": []}, "one of two other States is half"
    assert measures.held_by_neighbours(clubs, regions, least=0.6).to_dict() == {"A": [], "B": [], "D": ["a", "d"], "F": []}


def test_running_counts_the_first_day_and_not_the_last():
    spells = pd.DataFrame({"from": pd.to_datetime(["2002-01-01", "2003-01-01", "2003-01-01"]), "to": pd.to_datetime(["2003-01-01", "2004-01-01", None]), "top": ["x", "y", "y"]})
    days = ["2001-12-31", "2002-01-01", "2003-01-01", "2005-01-01"]
    assert measures.running(spells, "from", "to", days).tolist() == [0, 1, 2, 1], "a missing end runs on"
    assert measures.running(spells, "from", "to", days, by="top").tolist() == [0, 1, 1, 1]


def test_days_inside_several_spans_count_once():
    found = measures.days_covered(pd.Series(["2001-01-01", "2001-01-03", "2002-02"]), pd.Series(["2001-01-04", "2001-01-05", "2002-02-02"]))
    assert len(found) == 5 + 2 and found.is_unique
    assert measures.months_between(pd.Series(["2001-01-01", None]), pd.Series(["2005-01-01", "2005-01-01"])).round(2).tolist()[0] == pytest.approx(48.0)


def test_a_length_of_nothing_has_no_survival():
    for time, entry in (([0.0, 1.0], None), ([2.0, 1.0], [0.0, 1.0])):
        with pytest.raises(ValueError, match="above zero"):
            measures.survival_curve(pd.Series(time), pd.Series([True, True]), None if entry is None else pd.Series(entry))


def test_survival_equals_the_hand_worked_curve():
    """Five stays of 1, 2, 2+, 3 and 4: 4/5, then 3/4 of it, then half of it, then nothing."""
    curve = measures.survival_curve(pd.Series([1.0, 2, 2, 3, 4]), pd.Series([True, True, False, True, True]))
    assert curve["share"].tolist() == pytest.approx([1, 0.8, 0.6, 0.3, 0])
    assert (curve["low"] <= curve["share"]).all() and (curve["high"] >= curve["share"]).all()
    assert curve["low"][1] == pytest.approx(0.2038, abs=1e-3) and curve["high"][1] == pytest.approx(0.9692, abs=1e-3), "log-log limits of 0.8 with Greenwood's error"
    assert measures.median_stay(pd.Series([1.0, 2, 2, 3, 4]), pd.Series([True, True, False, True, True]))["median"] == 3


def test_a_late_entry_is_not_at_risk_before_it_is_seen():
    """The stay of 4 is seen from 2.5 on: at 1 and 2 only three and two are at risk."""
    curve = measures.survival_curve(pd.Series([1.0, 2, 3, 4]), pd.Series([True] * 4), pd.Series([0.0, 0, 0, 2.5]))
    assert curve["share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 6, 0])


def test_overlap_by_hand():
    assert measures.overlap({1, 2, 3}, {2, 3, 4}) == 0.5 and measures.overlap({1}, {2}) == 0
    with pytest.raises(ValueError, match="empty"):
        measures.overlap(set(), set())


def test_overlap_bounds_by_hand():
    bounds = measures.overlap_bounds({1, 2, 3}, {3, 4}, 4)
    assert bounds == {"low": pytest.approx(1 / 6), "high": pytest.approx(3 / 4)}
    whole = measures.overlap_bounds({1, 2, 3}, {3, 4}, 2)
    assert whole["low"] == whole["high"] == measures.overlap({1, 2, 3}, {3, 4})
    with pytest.raises(ValueError, match="only 1"):
        measures.overlap_bounds({1}, {2, 3}, 1)


def test_mean_gap_is_the_mean_over_pairs():
    assert measures.mean_gap([3, 1, 6]) == pytest.approx((2 + 5 + 3) / 3)
    assert measures.mean_gap([3, None, 1]) == 2 and measures.mean_gap([4, 4]) == 0
    with pytest.raises(ValueError, match="two members"):
        measures.mean_gap([1, None])
