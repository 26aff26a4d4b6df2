"""Say what comes next, with a range, and score it when it has come.

A series is a recipe in data/forecasts/series.csv that reads values out of the other tables; a forecast is a row of
data/forecasts/register.csv, frozen once it is issued. Words used here: the *origin* is the last value that a forecast
knows; a range of 80% is meant to hold the value eight times in ten.

Persistence (the last value stays) and drift (the line from the first to the last value goes on) are the naive forecasts
of Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), sections 5.2 and 5.5, written for values at
uneven distances: the variance of a change grows with the years between two values. Nothing is interpolated.
"""
from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import exp, inf, isfinite, log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd

from . import data
from .text import listing, significant

YEAR = 365.25  # days
LEVELS = (50, 80)  # percent of cases that a range is meant to hold
FEWEST = 3  # values without which nothing is forecast
LIBRARY = 15  # values, a year apart, without which models from a library are not tried
TRAINED = 10  # values that a model from a library has seen at its first held-out origin
CEILING = 193  # members of the United Nations: where the logistic curve of a treaty ends
NAIVE = ("persistence", "drift")
STEPS = (1, 2, 4)  # values ahead that are held out
GAIN = 0.1  # one-sided p of the test of equal accuracy below which a gain counts
DIGITS = 4  # of everything computed here, so that all machines agree
FROZEN = ["forecast_id", "series_id", "model", "issued", "origin_date", "origin_value", "target_date", "point", "low_50", "high_50", "low_80", "high_80", "due"]
COMPUTED = ["model", "origin_date", "origin_value", "point", "low_50", "high_50", "low_80", "high_80"]
SCORED = ["observed", "observed_date", "absolute_error", "interval_score", "inside_50", "inside_80"]
LADDER = {"very likely": (0.9, 1.0), "likely": (2 / 3, 0.9), "about as likely as not": (1 / 3, 2 / 3), "unlikely": (0.1, 1 / 3), "very unlikely": (0.0, 0.1)}


@dataclass(frozen=True)
class Outlook:
    """What a model says of one day: a median and a spread (standard deviation) on the scale of the model, and limits.

    freedom: degrees of freedom of Student's t (infinite: normal). scale: "log" for amounts that change by factors, else "level".
    """
    centre: float
    spread: float
    freedom: float
    scale: str = "level"
    least: float = -inf
    most: float = inf

    def at(self, share: float) -> float:
        """The value below which the outcome falls in this share of cases, in the unit of the series."""
        from scipy.stats import norm, t

        value = self.centre + self.spread * float((t(self.freedom) if isfinite(self.freedom) else norm()).ppf(share))
        return significant(min(max(exp(value) if self.scale == "log" else value, self.least), self.most), DIGITS)

    def within(self, level: float) -> tuple[float, float]:
        """The central range that is meant to hold `level` percent of cases."""
        return self.at(0.5 - level / 200), self.at(0.5 + level / 200)

    def chance_above(self, value: float) -> float:
        """Probability, 0 to 1, that the outcome is more than a value."""
        from scipy.stats import norm, t

        if value < self.least or value >= self.most:
            return float(value < self.least)
        place = log(value) if self.scale == "log" else value
        return float((t(self.freedom) if isfinite(self.freedom) else norm()).sf((place - self.centre) / self.spread))


# Reading a series


def recipes() -> pd.DataFrame:
    """The series in their order: the first row of each in data/forecasts/series.csv, indexed by series_id."""
    return data.load("forecasts/series").drop_duplicates("series_id").set_index("series_id")


@cache
def _observed(series_id: str) -> tuple[tuple, tuple]:
    parts = data.load("forecasts/series").query("series_id == @series_id")
    if parts.empty:
        raise ValueError(f"data/forecasts/series.csv has no series {series_id!r}. There are: {listing(recipes().index)}.")
    values = pd.concat([_part(row) for row in parts.itertuples()]).sort_index()
    if values.index.duplicated().any():
        raise ValueError(f"series {series_id!r} has two values for {values.index[values.index.duplicated()][0]:%Y-%m-%d}: narrow `filter` in data/forecasts/series.csv to one of them.")
    return tuple(values.index), tuple(values)


def observations(series_id: str) -> pd.Series:
    """The values of a series on their own dates, irregular as they are. Index: dates; a year stands at its middle, a month at its 15th.

    Only values inside `first` and `last` of the recipe are read, which is the last stretch without a break. Raises ValueError for an
    unknown series, or for two values of one date.
    """
    dates, values = _observed(series_id)
    return pd.Series(values, index=pd.DatetimeIndex(dates), name=series_id, dtype="float64")


def _part(row) -> pd.Series:
    """One row of the recipe as values by date."""
    whole = data.load(row.table)
    frame = whole[_chosen(whole, row.filter)]
    dates, by = moments(frame[row.date_column]), row.value_column
    if row.how == "year_end":
        joined = dates.dropna().dt.year.value_counts().sort_index()
        values = joined.reindex(range(joined.index[0], joined.index[-1] + 1), fill_value=0).cumsum()
        values.index = pd.to_datetime([f"{year}-12-31" for year in values.index])
    elif row.how == "value":
        values = frame[by].astype(float).set_axis(dates)
    elif row.how == "ratio":
        values = (100 * frame[by].astype(float) / frame[row.of_column].astype(float)).set_axis(dates)
    elif row.how == "share":
        values = (100 * frame[by].astype(float) / frame[[by, row.of_column]].astype(float).sum(axis=1)).set_axis(dates)
    else:
        grouped = frame.groupby(dates)
        values = {"sum": lambda: grouped[by].sum().astype(float), "rows": lambda: grouped.size().astype(float),
                  "above_one": lambda: 100 * (frame[by] > 1).groupby(dates).mean().astype(float),
                  "part": lambda: 100 * grouped[by].sum().reindex(moments(whole[row.date_column]).unique(), fill_value=0) / whole.groupby(moments(whole[row.date_column]))[by].sum()}[row.how]()
    values = values.astype(float).dropna().sort_index()
    return values[(values.index >= (row.first if pd.notna(row.first) else values.index[0])) & (values.index <= (row.last if pd.notna(row.last) else values.index[-1]))]


def last_source(series_id: str) -> str:
    """Who published the last value of a series, and when: 'Producer, 2025'."""
    row = list(data.load("forecasts/series").query("series_id == @series_id").itertuples())[-1]
    frame = data.load(row.table)
    frame = frame[_chosen(frame, row.filter)]
    frame = frame.assign(_day=moments(frame[row.date_column])).sort_values("_day", kind="stable")
    if pd.notna(row.last):
        frame = frame[frame["_day"] <= row.last]
    own = f"{row.value_column}_source_id"
    source = data.source_rows([frame[own if own in frame else "source_id"].iloc[-1]]).iloc[0]
    return f"{source['producer']}, {source['published'] if source['published'] == 'undated' else source['published'][:4]}"


def _chosen(frame: pd.DataFrame, conditions) -> pd.Series:
    """Rows that meet all conditions, written `column=one|other;column=value`; `!=` leaves values out."""
    keep = pd.Series(True, index=frame.index)
    for condition in conditions.split(";") if pd.notna(conditions) else ():
        column, values = condition.split("!=" if "!=" in condition else "=", 1)
        found = frame[column].astype(str).isin(values.split("|"))
        keep &= ~found if "!=" in condition else found
    return keep


def moments(dates: pd.Series) -> pd.Series:
    """Dates as days: a year at its 1 July, a month at its 15th. dates: days, or text as coarse as 2001 or 2001-10."""
    if pd.api.types.is_datetime64_any_dtype(dates):
        return dates
    words = dates.astype("str")
    ends = words.str.len().map({4: "-07-01", 7: "-15"}).fillna("")
    return pd.to_datetime((words + ends).where(dates.notna()), format="%Y-%m-%d", errors="coerce")


def yearly(values: pd.Series) -> bool:
    """Whether each value follows the one before by a year, as models from a library need it."""
    return bool(len(values) > 1 and pd.Series(values.index).diff().dropna().dt.days.between(360, 370).all())


# Models: each takes years, values on the model's scale and the years ahead; it returns centres, spreads, freedom


def persistence(years: np.ndarray, values: np.ndarray, ahead: np.ndarray):
    """The last value stays; the variance of a year is the mean squared change, each over its own years."""
    steps, gaps = np.diff(values), np.diff(years)
    spread = sqrt((steps**2 / gaps).mean())
    return np.full(len(ahead), values[-1]), spread * np.sqrt(ahead), len(steps)


def drift(years: np.ndarray, values: np.ndarray, ahead: np.ndarray):
    """The straight line from the first to the last value goes on; the variance counts that its slope is only estimated."""
    steps, gaps = np.diff(values), np.diff(years)
    slope, span = (values[-1] - values[0]) / gaps.sum(), gaps.sum()
    spread = sqrt(((steps - slope * gaps)**2 / gaps).sum() / (len(steps) - 1))
    return values[-1] + slope * ahead, spread * np.sqrt(ahead * (1 + ahead / span)), len(steps) - 1


def damped_trend(years: np.ndarray, values: np.ndarray, ahead: np.ndarray):
    """A trend that fades: exponential smoothing with a damped additive trend (statsmodels). Needs yearly values; ahead in whole years."""
    from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

    return _library(ExponentialSmoothing(values, trend=True, damped_trend=True, initialization_method="heuristic"), ahead)


def return_to_mean(years: np.ndarray, values: np.ndarray, ahead: np.ndarray):
    """A pull back to the mean: autoregression of order one with a constant (statsmodels). Needs yearly values; ahead in whole years."""
    from statsmodels.tsa.arima.model import ARIMA

    return _library(ARIMA(values, order=(1, 0, 0), trend="c"), ahead)


def _library(model, ahead: np.ndarray):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(disp=False) if "ExponentialSmoothing" in type(model).__name__ else model.fit()
        told = fitted.get_forecast(int(round(max(ahead))))
    at = np.round(ahead).astype(int) - 1
    return np.asarray(told.predicted_mean)[at], np.asarray(told.se_mean)[at], inf


def logistic(years: np.ndarray, values: np.ndarray, ahead: np.ndarray):
    """Adoption that speeds up and slows down towards CEILING: a logistic curve by least squares (scipy), carried on from the last value."""
    from scipy.optimize import curve_fit
    from scipy.special import expit

    begun = years - years[0]
    share = np.clip(values / CEILING, 0.01, 0.99)
    slope, start = np.polyfit(begun, np.log(share / (1 - share)), 1)
    (slope, start), _ = curve_fit(lambda when, a, b: CEILING * expit(a * when + b), begun, values, p0=(slope, start), maxfev=5000)
    fitted = CEILING * expit(slope * np.append(begun, begun[-1] + ahead) + start)
    errors = np.diff(values) - np.diff(fitted[:len(values)])
    spread = sqrt((errors**2 / np.diff(years)).sum() / max(len(errors) - 2, 1))
    return values[-1] + fitted[len(values):] - fitted[len(values) - 1], spread * np.sqrt(ahead), max(len(errors) - 2, 1)


MODELS = {"persistence": persistence, "drift": drift, "damped trend": damped_trend, "return to the mean": return_to_mean, "logistic": logistic}


def candidates(series_id: str) -> list[str]:
    """The models that may be tried: the naive ones, and with LIBRARY yearly values those from a library that suit the series."""
    values = observations(series_id)
    if len(values) < FEWEST:
        return []
    if len(values) < LIBRARY or not yearly(values):
        return list(NAIVE)
    return [*NAIVE, "logistic"] if recipes()["shape"][series_id] == "cannot fall" else [*NAIVE, "damped trend", "return to the mean"]


def outlook(values: pd.Series, model: str, targets, shape: str = "free", scale: str = "level") -> list[Outlook]:
    """What a model says of each target day. values: index dates. shape: "free", "cannot fall" (never below the last value) or "share" (0 to 100).

    Raises ValueError with fewer than FEWEST values, for a target not after the last value, or a logarithm of nothing.
    """
    ahead = (pd.DatetimeIndex(targets) - values.index[-1]).days.to_numpy() / YEAR
    if len(values) < FEWEST or ahead.min() <= 0:
        raise ValueError(f"outlook: {len(values)} values to {values.index[-1]:%Y-%m-%d} allow no forecast for {listing(f'{day:%Y-%m-%d}' for day in pd.DatetimeIndex(targets))}; {FEWEST} values and a later day are needed")
    if scale == "log" and (values <= 0).any():
        raise ValueError("outlook: a value of zero or less has no logarithm; set `scale` to level")
    held = np.log(values.to_numpy()) if scale == "log" else values.to_numpy()
    years = (values.index - values.index[0]).days.to_numpy() / YEAR
    centres, spreads, freedom = MODELS[model](years, held, ahead)
    least = {"cannot fall": float(values.iloc[-1]), "share": 0.0}.get(shape, 0.0 if (values >= 0).all() else -inf)
    most = 100.0 if shape == "share" else inf
    return [Outlook(float(centre), float(spread), freedom, scale, least, most) for centre, spread in zip(centres, spreads)]


def told(series_id: str, targets, model: str | None = None) -> list[Outlook]:
    """What the model that stands for a series, or another, says of each day."""
    recipe = recipes().loc[series_id]
    return outlook(observations(series_id), model or choice(series_id)["model"], targets, recipe["shape"], recipe["scale"])


# Held-out values


def interval_score(low: float, high: float, observed: float, level: float = 80) -> float:
    """Width of the range, and for a value outside it a penalty: 2 / (1 - level) times the distance (Winkler 1972; Gneiting and Raftery 2007)."""
    return high - low + 2 / (1 - level / 100) * (max(low - observed, 0) + max(observed - high, 0))


@cache
def backtest(series_id: str) -> pd.DataFrame:
    """Every model of a series at every origin that leaves values to hold out: the same origins for all models.

    Shape: one row a model, origin and step (1, 2 or 4 values ahead), with origin, target, years, observed, point, low_50 ... high_80,
    error (absolute), score (interval score at 80%), in_50, in_80. Empty where there are too few values.
    """
    values, recipe, models = observations(series_id), recipes().loc[series_id], candidates(series_id)
    key = [series_id, recipe["shape"], recipe["scale"], models, [f"{day:%Y-%m-%d}" for day in values.index], list(values), Path(__file__).read_text(encoding="utf-8"), *map(version, ("numpy", "scipy", "statsmodels"))]
    rows = json.loads(data.kept(json.dumps(key).encode(), "json", lambda: json.dumps(_held_out(values, recipe, models)).encode()))
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.assign(series_id=series_id, origin=pd.to_datetime(frame["origin"]), target=pd.to_datetime(frame["target"]))


def _held_out(values: pd.Series, recipe: pd.Series, models: list[str]) -> list[dict]:
    rows = []
    for end in range(TRAINED if len(models) > len(NAIVE) else FEWEST, len(values) if models else 0):
        known, steps = values.iloc[:end], [step for step in STEPS if end + step <= len(values)]
        targets = [values.index[end + step - 1] for step in steps]
        for model in models:
            for step, day, said in zip(steps, targets, outlook(known, model, targets, recipe["shape"], recipe["scale"])):
                rows.append({"model": model, "step": step, "origin": f"{known.index[-1]:%Y-%m-%d}", "target": f"{day:%Y-%m-%d}", "years": (day - known.index[-1]).days / YEAR, **_judged(said, float(values[day]))})
    return rows


def _judged(said: Outlook, seen: float) -> dict:
    """One held-out value beside what was said of it."""
    ranges = {level: said.within(level) for level in LEVELS}
    ends = {f"{side}_{level}": ranges[level][place] for level in LEVELS for place, side in enumerate(("low", "high"))}
    return {"observed": seen, "point": said.at(0.5), **ends, "error": abs(said.at(0.5) - seen), "score": interval_score(*ranges[80], seen),
            **{f"in_{level}": ranges[level][0] <= seen <= ranges[level][1] for level in LEVELS}}


def scores(series_id: str) -> pd.DataFrame:
    """Mean error, mean interval score and coverage of each model, side by side. Shape: one row a model and step, with origins."""
    held = backtest(series_id)
    if held.empty:
        return pd.DataFrame(columns=["series_id", "model", "step", "origins", "error", "score", "in_50", "in_80"])
    means = held.groupby(["series_id", "model", "step"], sort=False)[["error", "score", "in_50", "in_80"]].mean()
    return means.assign(origins=held.groupby(["series_id", "model", "step"], sort=False).size()).map(lambda value: significant(float(value), DIGITS)).reset_index()


def equal_accuracy(ours: np.ndarray, theirs: np.ndarray, step: int) -> float:
    """One-sided p that our losses are no smaller than theirs: Diebold and Mariano (1995), corrected for few origins by Harvey, Leybourne and Newbold (1997).

    ours, theirs: losses at the same origins in order. Returns 1 with fewer than five origins or no difference.
    """
    from scipy.stats import t

    gain = np.asarray(theirs, dtype=float) - np.asarray(ours, dtype=float)
    count, centred = len(gain), gain - gain.mean()
    variance = sum((1 if lag == 0 else 2) * (centred[lag:] @ centred[:count - lag]) / count for lag in range(step))
    if count < 5 or variance <= 0:
        return 1.0
    correction = sqrt(max((count + 1 - 2 * step + step * (step - 1) / count) / count, 0))
    return float(t(count - 1).sf(correction * gain.mean() / sqrt(variance / count)))


@cache
def choice(series_id: str) -> dict:
    """The model that stands for a series and why: {"model", "why", "origins", "naive"}.

    Of the naive forecasts the one with the lower mean interval score over the held-out values stands; with fewer than FEWEST origins
    drift for a count that cannot fall, else persistence. Another model takes its place only if its error and its interval score are lower
    at every step, with a p of equal accuracy below GAIN for the error two values ahead. Missing under FEWEST values.
    """
    models = candidates(series_id)
    if not models:
        return {"model": None, "naive": None, "why": "too few values", "origins": 0}
    held, values = backtest(series_id), observations(series_id)
    origins = 0 if held.empty else int(held["origin"].nunique())
    if origins < FEWEST:
        naive = NAIVE[recipes()["shape"][series_id] == "cannot fall"]
        return {"model": naive, "naive": naive, "why": "too few values to hold out", "origins": origins}
    means = held.groupby("model")[["error", "score"]].mean()
    naive, others = min(NAIVE, key=lambda name: means["score"][name]), [name for name in models if name not in NAIVE]
    better = [name for name in others if all(_gains(held, name, rival) for rival in NAIVE)]
    plain = "values at uneven distances" if len(values) >= LIBRARY else f"fewer than {LIBRARY} values"
    why = "gain over both naive forecasts" if better else "no gain over the naive forecast" if others else plain
    return {"model": min(better, key=lambda name: means["score"][name]) if better else naive, "naive": naive, "why": why, "origins": origins}


def _gains(held: pd.DataFrame, model: str, rival: str) -> bool:
    """Whether a model beats a rival at every step in error and interval score, with a low p for the error two values ahead."""
    sides = {step: [held[(held["model"] == name) & (held["step"] == step)].sort_values("origin") for name in (model, rival)] for step in STEPS}
    lower = all(ours[loss].mean() < theirs[loss].mean() for ours, theirs in sides.values() for loss in ("error", "score"))
    return lower and equal_accuracy(*(side["error"].to_numpy() for side in sides[2]), 2) < GAIN


def as_time_went(series_id: str) -> pd.DataFrame:
    """The held-out rows of the naive model that would have stood at each origin, chosen by the targets known by then. Shape as `backtest`.

    With fewer than FEWEST known targets it is drift for a count that cannot fall, else persistence, as in `choice`. Scale and start of a
    series are those of today.
    """
    held, first = backtest(series_id), NAIVE[recipes()["shape"][series_id] == "cannot fall"]
    parts = []
    for origin, rows in held.groupby("origin") if len(held) else ():
        known = held[(held["target"] <= origin) & held["model"].isin(NAIVE)]
        means = known.groupby("model")["score"].mean()
        stood = first if known["origin"].nunique() < FEWEST else min(NAIVE, key=lambda name: means[name])
        parts.append(rows[rows["model"] == stood])
    return pd.concat(parts, ignore_index=True) if parts else held


def path(series_id: str, model: str, until: str) -> pd.DataFrame:
    """A forecast drawn out: the origin, and one row a year up to `until`. Shape: date, value, low_50, high_50, low_80, high_80."""
    values = observations(series_id)
    last, ends = values.index[-1], pd.Timestamp(until)
    days = [last + pd.DateOffset(years=year) for year in range(1, ends.year - last.year + 1)]
    days = [day for day in days if day <= ends] or [ends]
    start = {"date": last, "value": float(values.iloc[-1]), **{f"{side}_{level}": float(values.iloc[-1]) for level in LEVELS for side in ("low", "high")}}
    rows = [{"date": day, "value": said.at(0.5), **{f"{side}_{level}": said.within(level)[place] for level in LEVELS for place, side in enumerate(("low", "high"))}}
            for day, said in zip(days, told(series_id, days, model))]
    return pd.DataFrame([start, *rows])


def drawn(titles: dict[str, str], until: str, models: dict[str, str] | None = None, step: int | None = None, runs: dict[str, list[str]] | None = None) -> pd.DataFrame:
    """What `charts.fans` draws: values seen, earlier forecasts held against them, and the forecast to the day `until`.

    titles: series_id -> title of its panel. models: series_id -> model, where another than the chosen one is drawn. step: values ahead of
    the held-out forecasts to draw, none without it. runs: series_id -> other series that are drawn before it, each as a stretch of its own.
    Shape: date, value, low_50 ... high_80, panel, kind, run.
    """
    parts = []
    for series_id, title in titles.items():
        model = (models or {}).get(series_id) or choice(series_id)["model"]
        for run in [*(runs or {}).get(series_id, []), series_id]:
            parts.append(observations(run).rename("value").rename_axis("date").reset_index().assign(panel=title, kind="seen", run=run))
        held = backtest(series_id)
        if step and not held.empty:
            shown = held[(held["model"] == model) & (held["step"] == step)]
            parts.append(shown[["target", "observed", "low_80", "high_80"]].set_axis(["date", "value", "low_80", "high_80"], axis=1).assign(panel=title, kind="held out", run=series_id))
        if model:
            parts.append(path(series_id, model, until).assign(panel=title, kind="forecast", run=series_id))
    return pd.concat(parts, ignore_index=True)[["date", "value", "low_50", "high_50", "low_80", "high_80", "panel", "kind", "run"]]


def next_ones(count: int, total: int, coming: int) -> dict[str, float]:
    """How many of the next `coming` cases will be of a kind that `count` of `total` cases were: median, 80% range, chance of at least half.

    Beta-binomial with Jeffreys' prior (scipy): as if the coming cases were drawn like the known ones. Raises ValueError unless 0 <= count <= total.
    """
    from scipy.stats import betabinom

    if not 0 <= count <= total:
        raise ValueError(f"next_ones: {count} of {total} is no share")
    law = betabinom(coming, count + 0.5, total - count + 0.5)
    return {"point": float(law.ppf(0.5)), "low": float(law.ppf(0.1)), "high": float(law.ppf(0.9)), "half": significant(float(law.sf(-(-coming // 2) - 1)), DIGITS)}


# The register


def words_for(chance: float) -> str:
    """The word of LADDER for a probability between 0 and 1. Raises ValueError outside."""
    if not 0 <= chance <= 1:
        raise ValueError(f"words_for: {chance} is no probability")
    return next(word for word, (low, _) in LADDER.items() if chance >= low)


def seal(row, before: str = "") -> str:
    """Eight letters that stand for the frozen cells of a forecast and for the seal of the row before, so that no row can be changed or go unseen."""
    return hashlib.sha256("|".join([before, *(_cell(row[column]) for column in FROZEN)]).encode()).hexdigest()[:8]


def issue(series_id: str, target: str, model: str | None = None, origin=None) -> dict:
    """The computed cells of a forecast for a day: model, origin and ranges. Raises ValueError where nothing can be forecast.

    model, origin: those of a forecast issued earlier, which is computed again from the values up to its origin.
    """
    recipe, model = recipes().loc[series_id], model or choice(series_id)["model"]
    values = observations(series_id).loc[:origin]
    if model is None or len(values) < FEWEST:
        raise ValueError(f"series {series_id!r} has {len(values)} values: {FEWEST} are needed for a forecast")
    said = outlook(values, model, [target], recipe["shape"], recipe["scale"])[0]
    ranges = {f"{side}_{level}": said.within(level)[place] for level in LEVELS for place, side in enumerate(("low", "high"))}
    return {"model": model, "origin_date": values.index[-1], "origin_value": significant(float(values.iloc[-1]), DIGITS), "point": said.at(0.5), **ranges}


def arrived(row) -> tuple[pd.Timestamp, float] | None:
    """Date and value that score a forecast: the first value from its target day on, within the window of its series; None before."""
    values, window = observations(row["series_id"]), int(recipes()["window_days"][row["series_id"]])
    found = values[(values.index >= row["target_date"]) & (values.index <= row["target_date"] + pd.Timedelta(days=window))]
    return (found.index[0], float(found.iloc[0])) if len(found) else None


def scored(row) -> dict | None:
    """What a forecast whose value has come must say in SCORED; None before."""
    if (found := arrived(row)) is None:
        return None
    day, value = found
    return {"observed": significant(value, DIGITS), "observed_date": day, "absolute_error": significant(abs(row["point"] - value), DIGITS),
            "interval_score": significant(interval_score(row["low_80"], row["high_80"], value), DIGITS),
            **{f"inside_{level}": bool(row[f"low_{level}"] <= value <= row[f"high_{level}"]) for level in LEVELS}}


def faults(register: pd.DataFrame, edition: str | None = None) -> list[str]:
    """What is wrong with a register, a sentence each: file, row, column, value, rule, what to do. Empty when all is well.

    edition: the day of the edition that prints it; a forecast due before that day must be scored, or given up as lapsed.
    """
    found, before = [], ""
    for place, row in register.iterrows():
        where = f"data/forecasts/register.csv, row {place + 2} ({row['forecast_id']})"
        if row["series_id"] not in recipes().index:
            found.append(f"{where}, column 'series_id', value {row['series_id']!r}: data/forecasts/series.csv has no such series. Add it there, or correct the id.")
            continue
        wrong = _not_reproduced(where, row)
        found += _not_ahead(where, row) + wrong + _not_scored(where, row) + _overdue(where, row, edition) + ([] if wrong and pd.isna(row["seal"]) else _not_sealed(where, row, before))
        before = _cell(row["seal"])
    return found


def _not_sealed(where: str, row, before: str) -> list[str]:
    """A row whose numbers stand carries the seal of its cells and of the row before."""
    if pd.isna(row["seal"]):
        return [f"{where}, column 'seal', value '': blank. Write {seal(row, before)}; the forecast is then issued."]
    if row["seal"] == seal(row, before):
        return []
    return [f"{where}, column 'seal', value {row['seal']!r}: a cell of this row was changed, or the row before it was changed, removed or moved. Restore the file; `git diff data/forecasts/register.csv` shows what changed."]


def _not_ahead(where: str, row) -> list[str]:
    """A forecast is issued before its target ends (one on 1 July stands for its year) and after the last value that it knows."""
    target = row["target_date"]
    ends = target + pd.offsets.YearEnd() if (target.month, target.day) == (7, 1) else target
    early = [f"{where}, column 'target_date', value {target:%Y-%m-%d}: it ended before the forecast was issued on {row['issued']:%Y-%m-%d}. Choose a later target."] if ends <= row["issued"] else []
    newest = row["origin_date"] if pd.notna(row["origin_date"]) else observations(row["series_id"]).index[-1]
    late = [f"{where}, column 'issued', value {row['issued']:%Y-%m-%d}: the last value that the forecast knows is of {newest:%Y-%m-%d}. Write the day on which the row is written."] if newest > row["issued"] else []
    return early + late


def _not_reproduced(where: str, row) -> list[str]:
    """A forecast must be what its model says of the values up to its origin; blank cells of a new one get their values."""
    if row["status"] == "withdrawn":
        return []
    newest = observations(row["series_id"]).index[-1]
    earlier = {"model": row["model"], "origin": row["origin_date"]} if pd.notna(row["origin_date"]) and row["origin_date"] < newest else {}
    try:
        ours = issue(row["series_id"], row["target_date"], **earlier)
    except ValueError as error:
        return [f"{where}: {error}. Take the row out."]
    return [f"{where}, column {column!r}, value {_cell(row[column])!r}: its model gives {_cell(value)}. In a new row write that; in an old one restore the cell, or, if the data were corrected after it was issued, set status to withdrawn and issue a new row." for column, value in ours.items() if not _same(row[column], value)]


def _overdue(where: str, row, edition: str | None) -> list[str]:
    """A forecast whose value should be known when an edition appears is scored, or says that no value came."""
    passed = edition is not None and pd.Period(row["due"], "M") < pd.Period(edition, "M")
    if row["status"] == "lapsed" and edition is not None and not passed:
        return [f"{where}, column 'status', value 'lapsed': its value is due in {row['due']}, and the edition is of {edition}. Leave it open until then."]
    if row["status"] == "open" and passed and scored(row) is None:
        return [f"{where}, column 'status', value 'open': its value was due in {row['due']}, before this edition of {edition}. Add the value to its table and score the forecast; if none was published for the target, set status to lapsed."]
    return []


def _not_scored(where: str, row) -> list[str]:
    """A forecast whose value has come must carry its score, and one whose value has not come must not."""
    if row["status"] != "open" and scored(row):
        return [f"{where}, column 'status', value {row['status']!r}: the value of the target is in the data. A forecast that was merely bad stays; set it to open and score it."]
    wanted = (scored(row) if row["status"] == "open" else None) or dict.fromkeys(SCORED)
    wrong = [(column, value) for column, value in wanted.items() if not _same(row[column], value)]
    if wanted["observed"] is None:
        return [f"{where}, column {column!r}, value {_cell(row[column])!r}: no table holds a value that scores this forecast. Leave the cell blank." for column, _ in wrong]
    missing = [f"{where}, column 'observed_source_id': blank. Write the source of the value."] if pd.isna(row["observed_source_id"]) else []
    return [f"{where}, column {column!r}, value {_cell(row[column])!r}: the value of the target is in the data. Write {_cell(value)}." for column, value in wrong] + missing


def _same(cell, value) -> bool:
    if pd.isna(cell) or value is None or pd.isna(value):
        return bool(pd.isna(cell) and (value is None or pd.isna(value)))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return abs(float(cell) - value) <= 2e-3 * max(abs(value), 1e-9)
    return cell == value


def _cell(value) -> str:
    """A value as the register writes it."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    return f"{float(value):.12g}" if isinstance(value, (int, float, np.number)) else str(value)
