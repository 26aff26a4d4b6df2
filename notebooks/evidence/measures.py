"""Compute this: pure functions on frames. Statistics come from scipy and statsmodels, imported where they are needed.

Words used here: a State *joins* an instrument on the day it consents to be bound (ratification, acceptance,
approval or accession). Succession to a predecessor's treaty is not a decision to join: it ends the time at risk
without being counted.
"""
from __future__ import annotations

import numpy as np
import pandas as pd

YEAR = 365.25  # days
DECISIONS = ("ratification", "acceptance", "approval", "accession")
AGES = (0, 1, 2, 3, 5, 10, 20, 60)  # years since an instrument opened for signature
RANDOM_SEED = 20010911


def highest_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """The highest published count of parties of each instrument, its date, and the lowest count seen.

    counts: instrument_id, as_of (missing where undated), parties. Shape: one row an instrument, with parties, as_of, least.
    """
    ordered = counts.sort_values(["parties", "as_of"], na_position="first").groupby("instrument_id")
    return ordered.tail(1).set_index("instrument_id")[["parties", "as_of"]].join(ordered["parties"].min().rename("least"))


def years_between(first: pd.Series, second: pd.Series) -> pd.Series:
    """Years from one ISO date to another, element by element."""
    return (pd.to_datetime(second) - pd.to_datetime(first)).dt.days / YEAR


def party_curve(actions: pd.DataFrame, end: str) -> pd.DataFrame:
    """Parties at the end of each quarter in which somebody joined, and at `end`. actions: instrument_id, consent_date.

    Shape: one row an instrument and date, with instrument_id, date (of the quarter's last joining) and parties.
    """
    days = actions.dropna(subset="consent_date").groupby(["instrument_id", "consent_date"]).size().rename("joined").reset_index()
    curve = days.assign(parties=days.groupby("instrument_id")["joined"].cumsum()).rename(columns={"consent_date": "date"})
    quarters = curve.groupby(["instrument_id", curve["date"].dt.to_period("Q")]).tail(1)
    return pd.concat([quarters, curve.groupby("instrument_id").tail(1).assign(date=pd.Timestamp(end))])[["instrument_id", "date", "parties"]]


def parties_on(actions: pd.DataFrame, date: str) -> pd.Series:
    """Parties to each instrument at the end of a day. Index: instrument_id, also those with none."""
    bound = actions[actions["consent_date"] <= pd.Timestamp(date)]
    return bound.groupby("instrument_id").size().reindex(sorted(actions["instrument_id"].unique()), fill_value=0)


def joined_between(actions: pd.DataFrame, start: str, end: str) -> pd.Series:
    """States bound from `start` up to and without `end`, by instrument, successions included."""
    inside = actions["consent_date"].between(pd.Timestamp(start), pd.Timestamp(end), inclusive="left")
    return actions[inside].groupby("instrument_id").size().reindex(sorted(actions["instrument_id"].unique()), fill_value=0)


def years_to_nth_party(actions: pd.DataFrame, adopted: pd.Series, nth: int) -> pd.Series:
    """Years from adoption until the nth party; missing where it was not reached. adopted: instrument_id -> date."""
    dates = actions.dropna(subset="consent_date").sort_values("consent_date").groupby("instrument_id")["consent_date"]
    reached = dates.nth(nth - 1)
    reached.index = actions.loc[reached.index, "instrument_id"]
    return years_between(adopted, reached.reindex(adopted.index)).rename(f"years_to_{nth}")


def shares_bound(dates: pd.Series, groups: dict[str, list], days: dict[str, str]) -> pd.DataFrame:
    """Percentage of each group of States bound by each day, groups in the order of the first day's share, highest first.

    dates: iso3 -> day of joining, missing where never; groups: name -> codes; days: words -> day.
    Shape: one row a group and day, with group (name and size), by, share.
    """
    frame = pd.DataFrame([{"group": f"{name} ({len(codes)})", "by": words, "share": 100 * (dates.reindex(codes) <= day).mean()}
                          for words, day in days.items() for name, codes in groups.items()])
    first = frame.iloc[:len(groups)].sort_values("share", ascending=False)["group"]
    return frame.set_index("group").loc[first].reset_index()


def opening_dates(actions: pd.DataFrame) -> pd.Series:
    """Day an instrument opened for signature, read as its earliest signature in the panel. Index: instrument_id."""
    return actions.groupby("instrument_id")["signature_date"].min()


def spells(actions: pd.DataFrame, states: pd.Series, end: str) -> pd.DataFrame:
    """Time at risk of joining: one row a State and instrument, from opening or independence (the later) to joining or `end`.

    states: iso3 -> independence date, missing where the State is older than every instrument.
    Returns instrument_id, iso3, opened, start, stop (dates), joined (bool). A State bound on the day its time would start is left out.
    """
    opened = opening_dates(actions).rename("opened").reset_index()
    pairs = opened.merge(states.rename("independent").rename_axis("iso3").reset_index(), how="cross")
    bound = actions.loc[actions["consent_date"].notna(), ["instrument_id", "iso3", "consent_date", "consent_type"]]
    pairs = pairs.merge(bound, on=["instrument_id", "iso3"], how="left", validate="one_to_one")
    last = pd.Timestamp(end)
    rows = pairs.assign(
        start=pairs[["opened", "independent"]].max(axis=1),
        stop=pairs["consent_date"].fillna(last).clip(upper=last),
        joined=(pairs["consent_date"] <= last) & pairs["consent_type"].isin(DECISIONS))
    return rows.loc[rows["stop"] > rows["start"], ["instrument_id", "iso3", "opened", "start", "stop", "joined"]].reset_index(drop=True)


def split_spells(rows: pd.DataFrame, periods: dict[str, str], ages=AGES) -> pd.DataFrame:
    """Spells cut at calendar dates and at ages of the instrument. periods: name -> first day, in order; ages: years.

    Returns one row a piece: instrument_id, iso3, period, age (years, lower bound), years at risk, joined (0 or 1).
    """
    names, edges = list(periods), [pd.Timestamp(first) for first in periods.values()]
    pieces = []
    for row in rows.itertuples(index=False):
        birthdays = [row.opened + pd.Timedelta(days=round(YEAR * age)) for age in ages]
        cuts = sorted({row.start, row.stop, *(cut for cut in (*edges, *birthdays) if row.start < cut < row.stop)})
        for begin, until in zip(cuts, cuts[1:]):
            period = names[sum(begin >= edge for edge in edges) - 1]
            age = ages[sum(begin >= birthday for birthday in birthdays) - 1]
            pieces.append((row.instrument_id, row.iso3, period, age, (until - begin).days / YEAR, int(row.joined and until == row.stop)))
    return pd.DataFrame(pieces, columns=["instrument_id", "iso3", "period", "age", "years", "joined"])


def joining_rates(pieces: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Joins per hundred State-years at risk with exact 95% Poisson intervals. Shape: one row a group of `by`."""
    from statsmodels.stats.rates import confint_poisson

    sums = pieces.groupby(by, sort=False)[["joined", "years"]].sum().reset_index()
    limits = [confint_poisson(row.joined, row.years, method="exact-c") for row in sums.itertuples()]
    return sums.assign(rate=100 * sums["joined"] / sums["years"], low=[100 * low for low, _ in limits], high=[100 * high for _, high in limits])


def joining_rate_ratio(pieces: pd.DataFrame, period: str, reference: str) -> dict[str, float]:
    """How many times faster States joined in one period than in another, with a course of ageing common to all instruments.

    Poisson regression of joins on period, instrument and age with time at risk as offset; standard errors clustered
    by State. pieces: from `split_spells`. Returns ratio, low and high (95%), instruments, joins and States used.
    """
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    used = pieces[pieces["years"] > 0]
    ours = "C(instrument_id) + " if used["instrument_id"].nunique() > 1 else ""
    formula = f"joined ~ {ours}C(age) + C(period, Treatment('{reference}'))"
    fit = smf.glm(formula, data=used, family=sm.families.Poisson(), offset=np.log(used["years"])).fit(
        cov_type="cluster", cov_kwds={"groups": used["iso3"].astype("category").cat.codes})
    term = f"C(period, Treatment('{reference}'))[T.{period}]"
    low, high = np.exp(fit.conf_int().loc[term])
    return {"ratio": float(np.exp(fit.params[term])), "low": float(low), "high": float(high), "instruments": used["instrument_id"].nunique(),
            "joins": int(used["joined"].sum()), "states": used["iso3"].nunique()}


def before_after(rows: pd.DataFrame, date, years: float) -> dict[str, float]:
    """Joining rate in the years after a date divided by the rate in the same number of years before.

    Only instruments open for the whole time before the date count. rows: from `spells`. The ratio is missing where nobody joined before.
    """
    date, window = np.datetime64(pd.Timestamp(date), "D"), np.timedelta64(round(YEAR * years), "D")
    opened, start, stop = (rows[column].to_numpy("datetime64[D]") for column in ("opened", "start", "stop"))
    joined, counted = rows["joined"].to_numpy(), opened <= date - window
    rates = {}
    for name, begin, until in (("before", date - window, date), ("after", date, date + window)):
        days = (np.minimum(stop, until) - np.maximum(start, begin)).astype(int).clip(0)
        joins = int((counted & joined & (stop >= begin) & (stop < until)).sum())
        at_risk = days[counted].sum() / YEAR
        rates |= {f"joins_{name}": joins, f"rate_{name}": joins / at_risk if at_risk else np.nan}
    return {**rates, "ratio": rates["rate_after"] / rates["rate_before"] if rates["rate_before"] else np.nan,
            "instruments": rows.loc[counted, "instrument_id"].nunique()}


def placebo_dates(rows: pd.DataFrame, dates, years: float) -> pd.DataFrame:
    """`before_after` at many dates. Shape: one row a date."""
    return pd.DataFrame([{"date": pd.Timestamp(date), **before_after(rows, date, years)} for date in dates])


def share_ratio(events_after: int, total_after: int, events_before: int, total_before: int) -> dict[str, float]:
    """Share after divided by share before with a 95% score interval (statsmodels, ratio of two proportions)."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(events_after, total_after, events_before, total_before, compare="ratio", method="score")
    return {"after": events_after / total_after, "before": events_before / total_before,
            "ratio": (events_after / total_after) / (events_before / total_before), "low": float(low), "high": float(high)}


def proportion(count: int, total: int) -> dict[str, float]:
    """A share with its exact 95% interval (Clopper-Pearson, scipy). Raises ValueError unless 0 <= count <= total and total > 0."""
    from scipy.stats import binomtest

    if not 0 <= count <= total or not total:
        raise ValueError(f"proportion: {count} of {total} is no share")
    low, high = binomtest(int(count), int(total)).proportion_ci(0.95, method="exact")
    return {"share": count / total, "low": float(low), "high": float(high)}


def rate_ratio(count_after: int, years_after: float, count_before: int, years_before: float) -> dict[str, float]:
    """Events a year after, divided by events a year before, with an exact 95% interval for two Poisson counts.

    Given the total, the later count is binomial (Clopper-Pearson limits from scipy). Without an event before, ratio and high are infinite.
    """
    from scipy.stats import binomtest

    total, exposure = count_after + count_before, years_after / years_before
    if not total:
        return {"ratio": np.nan, "low": 0.0, "high": np.inf}
    low, high = binomtest(int(count_after), int(total)).proportion_ci(0.95, method="exact")
    odds = [share / (1 - share) / exposure if share < 1 else np.inf for share in (count_after / total, low, high)]
    return dict(zip(("ratio", "low", "high"), map(float, odds)))


def share_placebo(frame: pd.DataFrame, events: str, total: str, window: int) -> pd.DataFrame:
    """Share of events in the years after each year divided by the share in as many years before; the year itself is left out.

    frame: year, counts of events and of the total they belong to, no year missing. Shape: one row a year that has both windows whole.
    """
    by_year = frame.set_index("year")[[events, total]].astype(float).sort_index()
    if list(by_year.index) != list(range(int(by_year.index.min()), int(by_year.index.max()) + 1)):
        raise ValueError("share_placebo: the years must follow one another without a gap")
    rows = []
    for year in by_year.index[window:len(by_year) - window]:
        before, after = (by_year.loc[first:first + window - 1].sum() for first in (year - window, year + 1))
        shares = [part[events] / part[total] if part[total] else np.nan for part in (before, after)]
        rows.append({"year": int(year), "before": shares[0], "after": shares[1], "ratio": shares[1] / shares[0] if shares[0] else np.nan})
    return pd.DataFrame(rows, columns=["year", "before", "after", "ratio"])


def concentration(values) -> dict[str, float]:
    """How unevenly a total is spread over contributors: Gini, effective number (1 / sum of squared shares), largest and top-five share.

    values: one non-negative amount a contributor. Raises ValueError without a positive amount. Gini after Sen (1973), without small-sample correction.
    """
    amounts = np.sort(np.asarray(values, dtype=float))
    if not len(amounts) or amounts[0] < 0 or not amounts.sum():
        raise ValueError("concentration: amounts must be non-negative, at least one above zero")
    shares, ranks = amounts / amounts.sum(), np.arange(1, len(amounts) + 1)
    return {"contributors": len(amounts), "gini": float((2 * ranks - len(amounts) - 1) @ shares / len(amounts)), "effective": float(1 / (shares**2).sum()),
            "largest": float(shares[-1]), "top5": float(shares[-5:].sum())}


def running(spells: pd.DataFrame, start: str, end: str, days, by: str | None = None) -> pd.Series:
    """How many spells run on each day: begun on it or before, and not yet ended. by: column whose distinct values are counted instead.

    spells: one row a spell, start and end as dates; a missing end runs on. Index: the days.
    """
    counts = {}
    for day in map(pd.Timestamp, days):
        now = spells[(spells[start] <= day) & ~(spells[end] <= day)]
        counts[day] = now[by].nunique() if by else len(now)
    return pd.Series(counts, dtype="int64")


def burden(amounts: pd.Series, bases: dict[str, pd.Series]) -> pd.DataFrame:
    """What each contributor gives over what it has. amounts: code -> amount given; bases: yardstick -> (code -> what it has).

    Shape: one row a contributor, one column a yardstick; missing where a base is zero or unknown. Raises ValueError for a base below zero.
    """
    if any((base < 0).any() for base in bases.values()):
        raise ValueError("burden: what a contributor has cannot be below zero")
    frame = pd.DataFrame({name: base.astype(float).reindex(amounts.index) for name, base in bases.items()})
    return (1 / frame.where(frame > 0)).mul(amounts.astype(float), axis=0)


def shared_memberships(members: pd.DataFrame) -> pd.DataFrame:
    """Pairs of States and the arrangements that both belong to. members: arrangement_id, iso3; a membership listed twice counts once.

    Shape: one row a pair that shares something, with first, second (in the order of the alphabet), shared (number) and arrangements (a sorted list of ids).
    """
    lists = members[["arrangement_id", "iso3"]].drop_duplicates().sort_values(["arrangement_id", "iso3"])
    pairs = lists.merge(lists, on="arrangement_id", suffixes=("_first", "_second")).query("iso3_first < iso3_second")
    together = pairs.groupby(["iso3_first", "iso3_second"])["arrangement_id"].agg(list).rename("arrangements").rename_axis(["first", "second"]).reset_index()
    return together.assign(shared=together["arrangements"].map(len))[["first", "second", "shared", "arrangements"]]


def membership_network(members: pd.DataFrame):
    """The networkx graph of States, a line between two that share an arrangement, weighted by how many. members: arrangement_id, iso3.

    States and lines enter in the order of the alphabet, so that results do not hang on the order of rows; a State alone in its arrangement has no line.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(sorted(members["iso3"].unique()))
    graph.add_weighted_edges_from(shared_memberships(members)[["first", "second", "shared"]].itertuples(index=False))
    return graph


def blocs(members: pd.DataFrame) -> list[list[str]]:
    """Connected components of the membership network, largest first: groups of States that no common arrangement joins to any other."""
    import networkx as nx

    return sorted((sorted(part) for part in nx.connected_components(membership_network(members))), key=lambda part: (-len(part), part))


def go_between(members: pd.DataFrame) -> pd.Series:
    """Betweenness of each State: of the shortest paths between two other States the percentage that run through it.

    Freeman (1977) as networkx computes it, without weights; all pairs of other States are the base, also those that no path joins. Index: iso3, highest first.
    """
    import networkx as nx

    found = pd.Series(nx.betweenness_centrality(membership_network(members)), dtype=float, name="betweenness").rename_axis("iso3").reset_index()
    return 100 * found.sort_values(["betweenness", "iso3"], ascending=[False, True]).set_index("iso3")["betweenness"]


def closest_partners(members: pd.DataFrame) -> pd.DataFrame:
    """With whom each State has most arrangements in common. members: arrangement_id, iso3.

    Shape: one row a State that shares something, index iso3, with shared (the highest number) and partners (all States that reach it, in the order of the alphabet).
    """
    pairs = shared_memberships(members)
    ways = pd.concat([pairs, pairs.rename(columns={"first": "second", "second": "first"})]).sort_values(["first", "second"])
    most = ways[ways["shared"] == ways.groupby("first")["shared"].transform("max")]
    return most.groupby("first").agg(shared=("shared", "max"), partners=("second", list)).rename_axis("iso3")


def held_by_neighbours(members: pd.DataFrame, regions: pd.Series, least: float = 0.5) -> pd.Series:
    """Arrangements that a State does not belong to and at least this share of the other States of its region does.

    members: arrangement_id, iso3; regions: iso3 -> region. Index: iso3; values: lists of ids, sorted. A State alone in its region has no neighbour.
    """
    table = pd.crosstab(members["iso3"], members["arrangement_id"]).gt(0).reindex(regions.index, fill_value=False)
    others = regions.groupby(regions).transform("size") - 1
    around = table.groupby(regions).transform("sum") - table
    lacking = around.ge(least * others, axis=0) & others.gt(0).to_numpy()[:, None] & ~table
    return lacking.apply(lambda row: sorted(table.columns[row]), axis=1)


def yearly_pace(first: float, last: float, years: float) -> float:
    """Average growth in percent a year that leads from the first count to the last. Raises ValueError unless both counts and the years are above zero."""
    if min(first, last, years) <= 0:
        raise ValueError(f"yearly_pace: from {first} to {last} in {years} years has no pace")
    return 100 * ((last / first) ** (1 / years) - 1)


def event_rate(count: int, exposure: float) -> dict[str, float]:
    """Events for each unit of exposure with an exact 95% Poisson interval (statsmodels). Raises ValueError without exposure or below zero."""
    from statsmodels.stats.rates import confint_poisson

    if count < 0 or not exposure > 0:
        raise ValueError(f"event_rate: {count} events in {exposure} is no rate")
    low, high = confint_poisson(count, exposure, method="exact-c")
    return {"rate": count / exposure, "low": float(low) if count else 0.0, "high": float(high)}


def depth_and_violence(actions: pd.DataFrame, violence: pd.DataFrame, states, by: str, earlier: tuple[int, int], later: tuple[int, int]) -> pd.DataFrame:
    """How many conventions each State had joined by a day, and civilians killed there before and after.

    actions: iso3, consent_date; violence: iso3, year, civilians_killed; states: codes; earlier, later: first and last year.
    Shape: one row a State, with conventions, earlier, later; zero where nothing is recorded.
    """
    bound = actions[actions["consent_date"] <= pd.Timestamp(by)].groupby("iso3").size()
    killed = [violence[violence["year"].between(*years)].groupby("iso3")["civilians_killed"].sum() for years in (earlier, later)]
    columns = dict(zip(("conventions", "earlier", "later"), (bound, *killed)))
    return pd.DataFrame(columns).reindex(states).fillna(0).astype(float)


def rank_correlation(frame: pd.DataFrame, x: str, y: str, given: str | None = None, draws: int = 2000) -> dict[str, float]:
    """Spearman correlation of x and y, with `given` held fixed if named, and a seeded bootstrap 95% interval.

    frame: one row a case, no missing values. Returns correlation, low, high, n.
    """
    from scipy.stats import rankdata

    def estimate(samples: np.ndarray) -> np.ndarray:
        ranks = rankdata(samples, axis=1)
        ranks = (ranks - ranks.mean(axis=1, keepdims=True)) / ranks.std(axis=1, keepdims=True)
        pairs = [(ranks[..., i] * ranks[..., j]).mean(axis=1) for i, j in ((0, 1), (0, -1), (1, -1))]
        return pairs[0] if given is None else (pairs[0] - pairs[1] * pairs[2]) / np.sqrt((1 - pairs[1] ** 2) * (1 - pairs[2] ** 2))

    values = frame[[x, y] + [given] * (given is not None)].to_numpy(float)
    drawn = np.random.default_rng(RANDOM_SEED).integers(0, len(values), (draws, len(values)))
    low, high = np.percentile(estimate(values[drawn]), [2.5, 97.5])
    return {"correlation": float(estimate(values[None])[0]), "low": float(low), "high": float(high), "n": len(values)}


def months_between(first: pd.Series, second: pd.Series) -> pd.Series:
    """Months (of a twelfth of a year) from one date to another, element by element; missing where either is."""
    return (pd.to_datetime(second) - pd.to_datetime(first)).dt.days * 12 / YEAR


def days_covered(starts: pd.Series, ends: pd.Series) -> pd.DatetimeIndex:
    """All days inside at least one of the spans, each day once. starts, ends: ISO dates; a month or a year alone means its first day."""
    spans = zip(pd.to_datetime(starts, format="ISO8601"), pd.to_datetime(ends, format="ISO8601"))
    return pd.DatetimeIndex(sorted({day for start, end in spans for day in pd.date_range(start, end)}))


def survival_curve(time: pd.Series, ended: pd.Series, entry: pd.Series | None = None) -> pd.DataFrame:
    """Share not yet ended after each time at which something ended (Kaplan-Meier, statsmodels) with 95% limits from the log-log scale.

    time: length so far; ended: False where it still runs; entry: length at which it came under observation, for those seen late.
    Shape: one row a time, first at zero, with time, share, low, high, at_risk.
    """
    fit = _survival(time, ended, entry)
    share, error = fit.surv_prob, fit.surv_prob_se
    inside = (share > 0) & (share < 1)
    spread = np.exp(1.96 * np.divide(error, share * np.abs(np.log(np.where(inside, share, 0.5))), out=np.zeros_like(share), where=inside))
    rows = pd.DataFrame({"time": fit.surv_times, "share": share, "low": share**spread, "high": share ** (1 / spread), "at_risk": fit.n_risk})
    return pd.concat([pd.DataFrame({"time": [0.0], "share": [1.0], "low": [1.0], "high": [1.0], "at_risk": [fit.n_risk[0]]}), rows], ignore_index=True)


def median_stay(time: pd.Series, ended: pd.Series, entry: pd.Series | None = None) -> dict[str, float]:
    """Time after which half have ended, with its 95% limits; arguments as in `survival_curve`. Infinite where fewer than half ended."""
    fit = _survival(time, ended, entry)
    with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is left the transformed curve has no value
        low, high = fit.quantile_ci(0.5)
    return {"median": float(fit.quantile(0.5)), "low": float(low), "high": float(high), "n": len(time), "ended": int(ended.sum())}


def _survival(time: pd.Series, ended: pd.Series, entry: pd.Series | None):
    from statsmodels.duration.survfunc import SurvfuncRight

    if (time <= (0 if entry is None else entry)).any():
        raise ValueError("survival: every length must be above zero and above the length at entry")
    return SurvfuncRight(time.astype(float).to_numpy(), ended.astype(int).to_numpy(), entry=None if entry is None else entry.astype(float).to_numpy())


def overlap(one: set, other: set) -> float:
    """Jaccard index of two sets: what both hold over what either holds, from 0 to 1. Raises ValueError if both are empty."""
    if not one | other:
        raise ValueError("overlap: two empty lists have no overlap")
    return len(one & other) / len(one | other)


def overlap_bounds(whole: set, seen: set, published: int) -> dict[str, float]:
    """Least and greatest Jaccard index of a list known whole and one of which only some entries were seen.

    published: how many entries the second list has. Least: no unseen entry is on the first list; greatest: as many as can be are.
    Returns low, high. Raises ValueError if fewer entries are published than were seen.
    """
    if published < len(seen):
        raise ValueError(f"overlap_bounds: {len(seen)} entries were seen, but only {published} are published")
    common, either = len(whole & seen), len(whole) + published
    more = min(published - len(seen), len(whole - seen))
    return {"low": common / (either - common), "high": (common + more) / (either - common - more)}


def mean_gap(values) -> float:
    """Mean absolute difference between two different members of a group, missing values left out; its unit is that of the values.

    Gini's mean difference, from the sorted values. Raises ValueError for fewer than two values.
    """
    placed = np.sort(pd.Series(values, dtype=float).dropna().to_numpy())
    if len(placed) < 2:
        raise ValueError("mean_gap: a gap needs two members")
    weights = 2 * np.arange(1, len(placed) + 1) - len(placed) - 1
    return float(2 * weights @ placed / (len(placed) * (len(placed) - 1)))
