"""What do we conclude: the ledger of claims, the test behind each verdict, the computed confidence, the verdict card.

The ledger (data/claims.csv) states the test apart from its result. A notebook computes the number and hands it to
`judge`, which refuses to print a verdict that the number no longer supports.
"""
from __future__ import annotations

import html
import operator
from numbers import Real

import pandas as pd

from .data import registry, trace
from .figure import Output
from .text import listing, number, word

VERDICT = "application/vnd.evidence.verdict+json"
SCALE = ("Supported", "Supported with limits", "Mixed", "Contradicted", "Not shown", "Not testable")
OUTCOMES = {  # what the test may say under each verdict
    "Supported": {"meets"},
    "Supported with limits": {"meets"},
    "Mixed": {"partly"},
    "Contradicted": {"fails"},
    "Not shown": {"partly", "fails", "untested"},
    "Not testable": {"untested"},
}
FLAGS = {
    "single_origin": "all values share one origin",
    "indirect_proxy": "the measure is an indirect proxy",
    "low_coverage": "coverage is under 80% of the stated universe",
    "series_break": "a definition changes inside the window",
    "sources_disagree": "sources disagree",
    "secondary_copies": "values were seen only in secondary copies",
    "before_after": "rests on before and after alone",
}
GRADES = ("High", "Moderate", "Low")
STARTS_HIGH = ("fact", "trend", "comparison")
CAUSAL = ("effect", "cause")
OPERATORS = {">=": (operator.ge, "at least"), ">": (operator.gt, "more than"), "<=": (operator.le, "at most"), "<": (operator.lt, "less than")}


class VerdictError(ValueError):
    """A verdict that its own test, or the rules of the scale, no longer allows."""


def ledger() -> pd.DataFrame:
    """All claims of the essay and their child rows, one row a claim, indexed by claim_id."""
    return registry("claims").set_index("claim_id")


def tally(chapter: int) -> str:
    """The verdicts of a chapter in words with links to their cards: 'one *Mixed* ([UND-01](#UND-01)) and two *Not shown* (...)'. Raises ValueError for a chapter without."""
    judged = ledger().query("chapter == @chapter").dropna(subset="verdict")["verdict"]
    if judged.empty:
        raise ValueError(f"data/claims.csv judges no claim in chapter {chapter}: fill its column `chapter`.")
    told = {verdict: [f"[{name}](#{name})" for name in judged.index[judged == verdict]] for verdict in SCALE}
    return listing(f"{word(len(links))} *{verdict}* ({', '.join(links)})" for verdict, links in told.items() if links)


def confidence(kind: str, verdict: str, flags: list[str]) -> str | None:
    """High, Moderate or Low from the kind of claim, one step down for each flag; None where no verdict carries one."""
    if verdict in ("Not shown", "Not testable"):
        return None
    start = 0 if kind in STARTS_HIGH else 1
    return GRADES[min(start + len(flags), len(GRADES) - 1)]


def outcome(values: dict[str, float], rule: str, sign: str, threshold: float) -> str:
    """'meets', 'partly' or 'fails': how many of the values pass the test; under the rule 'any' one is enough."""
    passed = [OPERATORS[sign][0](value, threshold) for value in values.values()]
    if all(passed) or (rule == "any" and any(passed)):
        return "meets"
    return "partly" if any(passed) else "fails"


def judge(claim_id: str, values: dict[str, float] | None = None, facts: dict[str, str] | None = None, decimals: int = 1) -> Output:
    """The verdict card of a claim, after its verdict has been held against the computed values.

    values: what was measured, in words -> number, in the ledger's unit; none for a claim without a numeric test.
    facts: computed words for the {placeholders} in the ledger's sentences, so that no number in them is typed.
    Raises VerdictError if the id is unknown, a placeholder stays empty, or the verdict does not follow from its test.
    """
    row = _filled(claim_id, _claim(claim_id), facts or {})
    if wrong := [label for label, value in (values or {}).items() if not isinstance(value, Real)]:
        raise VerdictError(f"{claim_id}: judge() was given something else than one number for {listing(wrong)}. Give the number itself, for example len(...) or .sum().")
    if values and (row.operator not in OPERATORS or row.threshold == "" or row["rule"] not in ("all", "any")):
        raise VerdictError(f"{claim_id}: judge() was given values, but data/claims.csv has no complete test. Fill rule (all or any), "
                           f"operator ({listing(OPERATORS)}) and threshold, or pass no values.")
    result = outcome(values, row["rule"], row.operator, row.threshold) if values else "untested"
    _check(claim_id, row, values, result)
    return _card(claim_id, row, values or {}, result, decimals)


def sensitivity(values: dict[str, float], rule: str, sign: str, threshold: float, unit: str = "") -> str:
    """One sentence: does the outcome of the test change at half and at twice the threshold, and where does it turn?

    Nothing where the question makes no sense: at a threshold of zero, and twice a percentage that would pass a hundred.
    """
    if not threshold or (unit.startswith("percent") and 2 * threshold > 100):
        return ""
    now = outcome(values, rule, sign, threshold)
    moved = [name for name, factor in (("half", 0.5), ("twice", 2)) if outcome(values, rule, sign, factor * threshold) != now]
    turns = min(values.values()) if (sign in (">=", ">")) == (rule == "all") else max(values.values())
    limit = f"It is met in full up to a threshold of {_exact(turns, 1)}." if sign in (">=", ">") and turns > 0 else ""
    if not moved:
        return f"The same at half and at twice the threshold. {limit}".strip()
    kept = "" if len(moved) == 2 else f", not at {'twice' if moved == ['half'] else 'half'}"
    return f"Changes at {listing(moved)} the threshold{kept}. {limit}".strip()


def _exact(value: float, decimals: int) -> str:
    return number(value, 0 if float(value).is_integer() else decimals)


def _claim(claim_id: str) -> pd.Series:
    rows = ledger()
    if claim_id not in rows.index:
        near = listing([known for known in rows.index if known.startswith(claim_id[:3])][:12])
        raise VerdictError(f"There is no claim {claim_id!r} in data/claims.csv (column claim_id). Ids that begin alike: {near}.")
    trace(claim=claim_id)
    row = rows.loc[claim_id]
    return row.where(row.notna(), "")


def _filled(claim_id: str, row: pd.Series, facts: dict[str, str]) -> pd.Series:
    try:
        return row.map(lambda text: text.format_map(facts) if isinstance(text, str) else text)
    except KeyError as missing:
        raise VerdictError(f"{claim_id}: a sentence in data/claims.csv has the placeholder {{{missing.args[0]}}}, "
                           "but the notebook passes no fact of that name to judge(). Compute it there.") from None


def _check(claim_id: str, row: pd.Series, values: dict | None, result: str) -> None:
    flags = _flags(row)
    if not row.verdict:
        raise VerdictError(f"{claim_id}: data/claims.csv has no verdict in this claim's row, column 'verdict'. Fill the row first: test, verdict, flags, counter-evidence, what would settle it.")
    if row.verdict not in SCALE:
        raise VerdictError(f"{claim_id}: verdict {row.verdict!r} in data/claims.csv, column 'verdict', is not on the scale. Use one of: {listing(SCALE)}.")
    if result not in OUTCOMES[row.verdict]:
        shown = listing(f"{label}: {_exact(value, 2)}" for label, value in (values or {}).items())
        allowed = listing(verdict for verdict, outcomes in OUTCOMES.items() if result in outcomes)
        raise VerdictError(f"{claim_id}: the ledger says {row.verdict!r}, but the data {_said(result)} the test ({row.test}): {shown}. "
                           f"Check the data; if they are right, change the verdict in data/claims.csv (possible: {allowed}).")
    if row.verdict == "Supported" and len(flags) >= 2:
        raise VerdictError(f"{claim_id}: with {len(flags)} flags ({listing(flags)}) a verdict cannot be plain 'Supported'. Narrow it, or mend the evidence.")
    if row.kind in CAUSAL and "before_after" in flags and row.verdict in ("Supported", "Supported with limits", "Mixed"):
        raise VerdictError(f"{claim_id}: a claim of {row.kind} that rests on before and after alone (column 'flags' of data/claims.csv) cannot be {row.verdict!r}. "
                           "Change the verdict to 'Not shown', or test it against a comparison, or against a level that can be read without one, and take the flag away.")
    if row.verdict == "Supported with limits" and not row.narrowed:
        raise VerdictError(f"{claim_id}: 'Supported with limits' needs the narrowed sentence in column 'narrowed' of data/claims.csv.")
    if row.verdict == "Not shown" and not row.looked_for:
        raise VerdictError(f"{claim_id}: 'Not shown' needs what was looked for in column 'looked_for' of data/claims.csv.")


def _said(result: str) -> str:
    return {"meets": "meet", "partly": "meet only in part", "fails": "fail", "untested": "do not answer"}[result]


def _flags(row: pd.Series) -> list[str]:
    flags = [flag for flag in row["flags"].split(";") if flag]
    if unknown := [flag for flag in flags if flag not in FLAGS]:
        raise VerdictError(f"{row.name}: unknown flag {listing(unknown)} in data/claims.csv, column 'flags'. Known flags: {listing(FLAGS)}.")
    return flags


def _card(claim_id: str, row: pd.Series, values: dict, result: str, decimals: int) -> Output:
    tested = bool(values)
    card = {
        "kind": "verdict", "id": claim_id, "parent": row.parent_id or None, "claim_kind": row.kind, "claim": row.claim, "verdict": row.verdict,
        "confidence": confidence(row.kind, row.verdict, _flags(row)), "confidence_start": "High" if row.kind in STARTS_HIGH else "Moderate",
        "flags": [FLAGS[flag] for flag in _flags(row)], "test": row.test,
        "values": [{"label": label, "text": _exact(value, decimals) + "%" * row.unit.startswith("percent")} for label, value in values.items()],
        "threshold": f"{OPERATORS[row.operator][1]} {_exact(row.threshold, 2)} {row.unit}".strip() if tested else "",
        "outcome": result, "sensitivity": sensitivity(values, row.rule, row.operator, row.threshold, row.unit) if tested else "",
        "narrowed": row.narrowed, "counter_evidence": row.counter_evidence, "would_settle": row.would_settle, "looked_for": row.looked_for,
        "figures": [figure for figure in row.figures.split(";") if figure],
    }
    shown = {"Claim": row.claim, "Verdict": f"{row.verdict} ({card['confidence'] or 'no confidence stated'})", "Test": row.test,
             "Found": listing(f"{value['label']}: {value['text']}" for value in card["values"]), "Against it": row.counter_evidence}
    lines = "".join(f"<tr><th>{html.escape(key)}</th><td>{html.escape(text)}</td></tr>" for key, text in shown.items())
    return Output(**{VERDICT: card, "text/html": f"<p><strong>{claim_id}</strong></p><table>{lines}</table>", "text/plain": f"{claim_id}: {shown['Verdict']}"})
