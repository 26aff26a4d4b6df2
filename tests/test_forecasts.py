"""Forecasts: models and scores with known answers, series read as their recipe says, and a register in which nothing due stays unscored.

When a value that a forecast waits for has entered the data, `test_the_register_is_in_order` fails and names the cells to write.
"""
import json
import math
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from evidence import charts, data, forecasts
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

YEARS = pd.to_datetime([f"{year}-07-01" for year in range(2000, 2030)])


def line(values, dates=YEARS) -> pd.Series:
    return pd.Series(values, index=dates[:len(values)], dtype="float64")


def later(values: pd.Series, years: int) -> list[pd.Timestamp]:
    return [values.index[-1] + pd.DateOffset(years=years)]


# Models


def test_too_little_to_go_on_is_refused():
    with pytest.raises(ValueError, match="2 values .* 3 values and a later day are needed"):
        forecasts.outlook(line([1, 2]), "drift", ["2020-01-01"])
    with pytest.raises(ValueError, match="a later day"):
        forecasts.outlook(line([1, 2, 4]), "drift", ["2001-01-01"])
    with pytest.raises(ValueError, match="no logarithm"):
        forecasts.outlook(line([1, 0, 4]), "persistence", ["2020-01-01"], scale="log")


def test_persistence_by_hand():
    values = line([10, 12, 10, 12])
    said = forecasts.outlook(values, "persistence", later(values, 4))[0]
    assert said.at(0.5) == 12 and said.freedom == 3
    assert said.spread == pytest.approx(2 * math.sqrt(4), rel=1e-3), "each change is two: two a year, twice as much after four years"
    low, high = said.within(80)
    assert (low, high) == (pytest.approx(12 - 1.638 * 4, rel=1e-3), pytest.approx(12 + 1.638 * 4, rel=1e-3)), "Student's t with three degrees of freedom, from tables"


def test_drift_by_hand():
    values = line([0, 3, 4, 9])
    said = forecasts.outlook(values, "drift", later(values, 2))[0]
    assert said.at(0.5) == pytest.approx(15, rel=2e-3), "nine in three years is three a year"
    variance = ((3 - 3)**2 + (1 - 3)**2 + (5 - 3)**2) / 2
    assert said.spread == pytest.approx(math.sqrt(variance * 2 * (1 + 2 / 3)), rel=5e-3)


def test_uneven_distances_count_by_their_years():
    dates = pd.to_datetime(["2000-01-01", "2004-01-01", "2005-01-01"])
    values = line([0, 8, 10], dates)
    assert forecasts.outlook(values, "drift", [pd.Timestamp("2010-01-01")])[0].at(0.5) == pytest.approx(20, rel=1e-3)
    spread = math.sqrt(((8**2 / 4) + 2**2) / 2)
    assert forecasts.outlook(values, "persistence", [pd.Timestamp("2006-01-01")])[0].spread == pytest.approx(spread, rel=1e-3)


def test_limits_of_shapes():
    values = line([50, 60, 55, 95, 98])
    share = forecasts.outlook(values, "drift", later(values, 8), shape="share")[0]
    assert share.within(80)[1] == 100 and share.chance_above(100) == 0
    count = forecasts.outlook(values, "persistence", later(values, 8), shape="cannot fall")[0]
    assert count.within(80)[0] == 98 == count.at(0.5) and count.chance_above(97) == 1
    amount = forecasts.outlook(values, "persistence", later(values, 8), scale="log")[0]
    assert amount.within(80)[0] > 0 and amount.at(0.5) == pytest.approx(98)


def test_the_library_models_know_a_line_and_a_mean():
    straight = line(np.arange(20) + np.tile([0.1, -0.1], 10))
    assert forecasts.outlook(straight, "damped trend", later(straight, 1))[0].at(0.5) == pytest.approx(20, abs=0.7)
    noise = line(10 + np.random.default_rng(3).normal(size=25))
    assert forecasts.outlook(noise, "return to the mean", later(noise, 4))[0].at(0.5) == pytest.approx(10, abs=0.6)


def test_the_logistic_curve_finds_itself_again():
    grown = line(forecasts.CEILING / (1 + np.exp(-0.4 * (np.arange(20) - 8))))
    truth = forecasts.CEILING / (1 + np.exp(-0.4 * (23 - 8)))
    said = forecasts.outlook(grown, "logistic", later(grown, 4), shape="cannot fall")[0]
    assert said.at(0.5) == pytest.approx(truth, abs=0.2) and said.within(80)[1] - said.within(80)[0] < 0.5


@settings(deadline=None)
@given(st.lists(st.floats(1, 1000), min_size=4, max_size=12), st.sampled_from(forecasts.NAIVE), st.sampled_from(["level", "log"]), st.integers(1, 6))
def test_wider_ranges_hold_narrower_ones(numbers, model, scale, years):
    values = line(numbers)
    said = forecasts.outlook(values, model, later(values, years), scale=scale)[0] if len(set(numbers)) > 2 else None
    if said:
        assert said.at(0.1) <= said.at(0.25) <= said.at(0.5) <= said.at(0.75) <= said.at(0.9)


# Scores


def test_interval_scores_by_hand():
    assert forecasts.interval_score(10, 20, 15) == 10
    assert forecasts.interval_score(10, 20, 23) == pytest.approx(10 + 10 * 3)
    assert forecasts.interval_score(10, 20, 9, level=50) == pytest.approx(10 + 4 * 1)


def test_equal_accuracy_needs_origins_and_sees_a_gain():
    rough, fine = np.array([2.0, 3, 2, 4, 3, 2, 3, 4]), np.array([1.0, 1, 2, 1, 1, 1, 2, 1])
    assert forecasts.equal_accuracy(fine, rough, 1) < 0.01 < 0.99 < forecasts.equal_accuracy(rough, fine, 1)
    assert forecasts.equal_accuracy(fine[:4], rough[:4], 1) == 1 and forecasts.equal_accuracy(fine, fine, 1) == 1
    gain = rough - fine
    assert forecasts.equal_accuracy(fine, rough, 1) == pytest.approx(float(ttest_1samp(gain, 0, alternative="greater").pvalue), rel=1e-6), "one step ahead it is the t test of the mean gain"


def test_words_of_probability_leave_no_gap():
    assert [forecasts.words_for(chance) for chance in (0, 0.1, 0.5, 0.7, 1)] == ["very unlikely", "unlikely", "about as likely as not", "likely", "very likely"]
    with pytest.raises(ValueError, match="no probability"):
        forecasts.words_for(1.2)


def test_the_next_cases_by_hand():
    even = forecasts.next_ones(50, 100, 2)
    assert even["half"] == pytest.approx(0.75, abs=0.01) and even["point"] == 1, "two throws of a coin show a head three times in four"
    with pytest.raises(ValueError, match="no share"):
        forecasts.next_ones(3, 2, 1)


# Series


def test_coarse_dates_stand_in_their_middle():
    assert [f"{day:%Y-%m-%d}" for day in forecasts.moments(pd.Series(["2001", "2001-10", "2001-10-07"]))] == ["2001-07-01", "2001-10-15", "2001-10-07"]
    assert pd.isna(forecasts.moments(pd.Series(["2001", None]))).tolist() == [False, True]


def test_unknown_series_are_named_with_those_there_are():
    with pytest.raises(ValueError, match="no series 'cats'. There are: civilians_killed"):
        forecasts.observations("cats")


def test_series_are_read_as_their_recipe_says():
    deaths = data.load("threat/nonstate_violence")
    assert forecasts.observations("civilians_killed").iloc[-1] == deaths[deaths["year"] == deaths["year"].max()]["civilians_killed"].sum()
    joined = data.load("legal/treaty_actions").query("instrument_id == 'nuclear_terrorism_2005'")["consent_date"]
    parties = forecasts.observations("nuclear_terrorism")
    assert parties["2012-12-31"] == (joined <= "2012-12-31").sum() and parties["2025-05-16"] == 127
    groups = data.load("threat/transnational_groups").set_index("year").loc[2016]
    assert forecasts.observations("named_groups_late").iloc[-1] == pytest.approx(100 * groups["transnational_attacks"] / groups["attacks"])
    assert len(forecasts.observations("schengen_searches")) == 1, "the table marks breaks in 2021 and 2024"


def test_every_series_can_be_read_and_a_treaty_never_falls():
    for name, shape in forecasts.recipes()["shape"].items():
        values = forecasts.observations(name)
        assert len(values) and values.index.is_monotonic_increasing and values.notna().all(), name
        assert shape != "cannot fall" or values.is_monotonic_increasing, name
        assert shape != "share" or values.between(0, 100).all(), name
        assert forecasts.last_source(name)


def test_all_models_of_a_series_stand_at_the_same_origins():
    held = forecasts.backtest("nato_distance")
    assert held.groupby("model")["origin"].apply(tuple).nunique() == 1 and (held["target"] > held["origin"]).all()
    assert forecasts.backtest("un_cyber").empty and forecasts.choice("un_cyber")["model"] is None


def test_under_fifteen_values_the_naive_forecast_stands():
    for name in forecasts.recipes().index:
        if len(forecasts.observations(name)) < forecasts.LIBRARY:
            assert forecasts.choice(name)["model"] in (None, *forecasts.NAIVE)


def test_a_fan_starts_at_the_last_value_and_holds_what_was_seen():
    frame = forecasts.drawn({"groups_abroad": "Groups"}, "2027-07-01", step=2)
    path = frame[frame["kind"] == "forecast"]
    assert path.iloc[0]["low_80"] == path.iloc[0]["high_80"] == forecasts.observations("groups_abroad").iloc[-1] and len(path) == 4
    assert set(frame["kind"]) == {"seen", "held out", "forecast"} and (path["low_80"] <= path["low_50"]).all()
    spec = charts.specification(charts.fans(frame, "date", "value", "panel"), "Title", "Subtitle")
    assert spec["columns"] == 2 and "held out" in json.dumps(spec)


# The register


def test_the_register_is_in_order(root):
    edition = str(yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))["date-released"])
    faults = forecasts.faults(data.load("forecasts/register"), edition)
    assert not faults, "\n".join(faults)


def test_every_open_series_with_three_values_is_in_the_register():
    named = set(data.load("forecasts/register")["series_id"])
    recipes = forecasts.recipes()
    assert named == {name for name in recipes.index[recipes["open"].astype(bool)] if len(forecasts.observations(name)) >= forecasts.FEWEST}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of data/ to bend, with what was kept of the real one forgotten."""
    memories = (data._checked, forecasts._observed, forecasts.backtest, forecasts.choice)
    shutil.copytree(data.DATA, tmp_path / "data")
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    for memory in memories:
        memory.cache_clear()
    yield tmp_path / "data"
    for memory in memories:
        memory.cache_clear()


def add_plenary(copy, listed: int) -> None:
    """A plenary of February 2027, the value that one forecast waits for, in data as they stood when it was issued, whatever came since."""
    path, register = copy / "finance/grey_list_size.csv", copy / "forecasts/register.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if row[:10] <= "2026-11-24"]
    rows.append(",".join(["2027-02-19", str(listed), *rows[-1].split(",")[2:]]))
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    descriptor = copy / "finance/grey_list_size.resource.json"
    text = descriptor.read_text(encoding="utf-8")
    for bound in ("min", "max"):
        text = re.sub(rf'"{bound}": \d+', f'"{bound}": {len(rows)}', text, count=1)
    descriptor.write_text(text, encoding="utf-8")
    issued = pd.read_csv(register, dtype="str")
    issued = issued[issued["issued"] <= "2026-11-24"]
    issued.loc[issued["series_id"] == "grey_list", [*forecasts.SCORED, "observed_source_id"]] = None
    issued.to_csv(register, index=False)


def test_a_value_that_came_must_be_scored_and_the_test_says_how(copy):
    add_plenary(copy, 28)
    register = data.load("forecasts/register")
    told = "\n".join(forecasts.faults(register))
    place = register.index[register["forecast_id"] == "grey_list_2027"][0]
    row = register.loc[place]
    assert f"row {place + 2} (grey_list_2027), column 'observed', value '': the value of the target is in the data. Write 28." in told
    assert "column 'observed_date', value '': the value of the target is in the data. Write 2027-02-19." in told
    score = row["high_80"] - row["low_80"] + 10 * (28 - row["high_80"])
    assert forecasts.scored(row)["interval_score"] == pytest.approx(score, rel=1e-3) and "inside_80', value '': the value of the target is in the data. Write false" in told
    assert "column 'observed_source_id': blank. Write the source of the value." in told
    assert "grey_list_2028" not in told, "the later forecast is not due, and its origin is no longer the last value"


def test_a_scored_forecast_is_in_order_and_a_wrong_score_is_not(copy):
    add_plenary(copy, 23)
    register = data.load("forecasts/register").astype(object)
    place = register.index[register["forecast_id"] == "grey_list_2027"][0]
    for column, value in forecasts.scored(register.loc[place]).items():
        register.loc[place, column] = value
    register.loc[place, "observed_source_id"] = "labuan_2026_06"
    assert forecasts.faults(register) == []
    register.loc[place, "absolute_error"] = 9.0
    assert any("column 'absolute_error', value '9'" in fault and "Write" in fault for fault in forecasts.faults(register))


def spoiled(**cells) -> str:
    """The faults of a register whose first row was changed."""
    register = data.load("forecasts/register").astype(object)
    for column, value in cells.items():
        register.loc[0, column] = value
    return "\n".join(forecasts.faults(register))


def test_printed_forecasts_cannot_be_typed_or_changed():
    assert "column 'high_80', value '20000': its model gives" in spoiled(high_80=20000.0)
    assert "column 'model', value 'drift': its model gives persistence" in spoiled(model="drift")
    assert "column 'seal'" in spoiled(due="2026-01")
    assert "column 'observed', value '5': no table holds a value that scores this forecast. Leave the cell blank." in spoiled(observed=5.0)
    assert "no such series" in spoiled(series_id="cats")
    assert "column 'point', value '': its model gives" in spoiled(point=None), "a new row gets its numbers from the message"


def test_a_withdrawn_forecast_is_neither_recomputed_nor_scored():
    told = spoiled(status="withdrawn", high_80=20000.0)
    assert told.count("row 2") == 1 and "column 'seal'" in told, "its seal alone is held against it"


def test_a_forecast_is_not_withdrawn_once_its_value_came(copy):
    add_plenary(copy, 23)
    register = data.load("forecasts/register").astype(object)
    register.loc[register["forecast_id"] == "grey_list_2027", "status"] = "withdrawn"
    assert [fault for fault in forecasts.faults(register) if "merely bad stays" in fault and "grey_list_2027" in fault]


def test_an_edition_scores_what_was_due_before_it_or_gives_it_up():
    register = data.load("forecasts/register").astype(object)
    assert forecasts.faults(register, "2027-03-31") == [], "in the month in which it is due a value may still come"
    told = forecasts.faults(register, "2027-04-01")
    assert len(told) == 1 and "(grey_list_2027), column 'status', value 'open': its value was due in 2027-03" in told[0] and "set status to lapsed" in told[0]
    register.loc[register["forecast_id"] == "grey_list_2027", "status"] = "lapsed"
    assert forecasts.faults(register, "2027-04-01") == []
    assert "Leave it open until then" in forecasts.faults(register, "2027-03-01")[0]


def test_a_forecast_is_not_given_up_when_its_value_is_there(copy):
    add_plenary(copy, 23)
    register = data.load("forecasts/register").astype(object)
    register.loc[register["forecast_id"] == "grey_list_2027", "status"] = "lapsed"
    assert any("merely bad stays" in fault for fault in forecasts.faults(register, "2027-04-01"))


def test_a_forecast_of_long_ago_is_computed_again_from_what_it_knew():
    row = data.load("forecasts/register").astype(object).loc[0].copy()
    row.update(pd.Series(forecasts.issue(row["series_id"], row["target_date"], row["model"], "2020-07-01"), dtype=object))
    row["seal"] = forecasts.seal(row)
    frame = pd.DataFrame([row])
    assert row["origin_date"] == pd.Timestamp("2020-07-01") and forecasts.faults(frame) == []
    frame.loc[0, ["low_80", "seal"]] = [1.0, forecasts.seal({**row, "low_80": 1.0})]
    assert "column 'low_80', value '1': its model gives" in forecasts.faults(frame)[0], "a fresh seal does not hide it"


def test_a_target_that_has_passed_is_no_forecast():
    assert "column 'target_date', value 2025-07-01: it ended before the forecast was issued on 2026-11-24" in spoiled(target_date=pd.Timestamp("2025-07-01"))


def test_a_new_row_gets_its_numbers_first_and_then_its_seal():
    register = data.load("forecasts/register").astype(object)
    new = register.iloc[-1].copy()
    new[[*forecasts.COMPUTED, "seal"]] = None
    new["forecast_id"], new["target_date"] = "new", pd.Timestamp("2031-10-01")
    told = forecasts.faults(pd.concat([register, new.to_frame().T], ignore_index=True))
    assert len(told) == len(forecasts.COMPUTED) and not any("'seal'" in fault for fault in told)
    new.update(pd.Series(forecasts.issue(new["series_id"], new["target_date"]), dtype=object))
    told = forecasts.faults(pd.concat([register, new.to_frame().T], ignore_index=True))
    assert [fault for fault in told if "column 'seal', value '': blank. Write " in fault] == told and len(told) == 1


def test_a_forecast_knows_nothing_from_after_its_day_of_issue():
    assert "column 'issued', value 2020-01-01: the last value that the forecast knows is of 2024-07-01" in spoiled(issued=pd.Timestamp("2020-01-01"))


def test_no_row_leaves_the_register_unseen():
    register = data.load("forecasts/register")
    faults = forecasts.faults(register.drop(index=3))
    assert len(faults) == 1 and "row 6" in faults[0] and "the row before it was changed, removed or moved" in faults[0]


def test_a_choice_made_as_time_went_knows_no_later_value():
    held, stood = forecasts.backtest("civilians_killed"), forecasts.as_time_went("civilians_killed")
    assert stood["model"].isin(forecasts.NAIVE).all() and stood["origin"].nunique() == held["origin"].nunique() and not stood.duplicated(["origin", "step"]).any()
    early = stood[stood["origin"] == stood["origin"].min()]
    assert set(early["model"]) == {"persistence"}, "nothing was known at the first origin"
