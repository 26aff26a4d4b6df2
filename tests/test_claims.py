"""The ledger and its verdicts: rules that no card may break, and the integrity of all 93 claims."""
import re

import pandas as pd
import pytest
from evidence import claims, data

ESSAY = {"INT": 3, "UND": 5, "HIS": 5, "OBJ": 4, "INI": 6, "PAR": 4, "NAT": 6, "USA": 5, "LEG": 6, "ISM": 7, "JOP": 4, "CHA": 6, "CAS": 5, "EME": 6, "TEC": 6, "PRE": 7, "FUT": 5, "CON": 3}


@pytest.fixture
def ledger(monkeypatch):
    """A ledger of one claim to bend."""
    row = {"claim_id": "LEG-01", "parent_id": None, "kind": "fact", "claim": "Law exists.", "test": "at least four", "rule": "all", "operator": ">=", "threshold": 4.0, "unit": "bodies",
           "verdict": "Supported", "flags": None, "narrowed": None, "counter_evidence": "It has {gaps} gaps.", "would_settle": "More.", "looked_for": None, "chapter": 4, "figures": "fig-a;fig-b"}

    def bend(**changes):
        frame = pd.DataFrame([{**row, **changes}]).set_index("claim_id")
        monkeypatch.setattr(claims, "ledger", lambda: frame)
    bend()
    return bend


def judge(values=(7,), **facts):
    return claims.judge("LEG-01", {f"value {number}": value for number, value in enumerate(values)} or None, {"gaps": "two", **facts}).bundle[claims.VERDICT]


def test_a_verdict_that_the_data_no_longer_support_is_refused(ledger):
    with pytest.raises(claims.VerdictError, match="ledger says 'Supported', but the data fail the test .*change the verdict.*Contradicted"):
        judge([3])
    with pytest.raises(claims.VerdictError, match="meet only in part"):
        judge([7, 3])


@pytest.mark.parametrize(("verdict", "values"), [("Contradicted", [7]), ("Mixed", [7]), ("Not shown", [7]), ("Not testable", [7]), ("Supported with limits", [3]), ("Supported with limits", [7, 3])])
def test_each_verdict_needs_its_outcome(ledger, verdict, values):
    ledger(verdict=verdict, narrowed="narrower", looked_for="more")
    with pytest.raises(claims.VerdictError):
        judge(values)


def test_rules_of_the_scale(ledger):
    ledger(flags="indirect_proxy;low_coverage")
    with pytest.raises(claims.VerdictError, match="cannot be plain 'Supported'"):
        judge()
    ledger(verdict="Supported with limits")
    with pytest.raises(claims.VerdictError, match="narrowed"):
        judge()
    ledger(verdict="Not shown")
    with pytest.raises(claims.VerdictError, match="looked for"):
        judge([3])
    ledger(verdict="Proven")
    with pytest.raises(claims.VerdictError, match="not on the scale"):
        judge()
    ledger(verdict=None)
    with pytest.raises(claims.VerdictError, match="no verdict in this claim's row, column 'verdict'. Fill the row first"):
        judge()
    ledger(verdict="Supported", flags="doubtful")
    with pytest.raises(claims.VerdictError, match="unknown flag doubtful"):
        judge()


@pytest.mark.parametrize(("verdict", "values"), [("Supported", [7]), ("Supported with limits", [7]), ("Mixed", [7, 3])])
@pytest.mark.parametrize("kind", ["effect", "cause"])
def test_an_effect_that_rests_on_before_and_after_alone_is_not_shown(ledger, kind, verdict, values):
    ledger(kind=kind, flags="before_after", verdict=verdict, narrowed="narrower")
    with pytest.raises(claims.VerdictError, match="before and after alone .*'Not shown'"):
        judge(values)
    for change in ({"kind": "trend", "flags": "before_after"}, {"kind": kind, "flags": "low_coverage"}):
        ledger(verdict=verdict, narrowed="narrower", **change)
        assert judge(values)["verdict"] == verdict


def test_values_without_a_complete_test_are_refused(ledger):
    ledger(operator=None)
    with pytest.raises(claims.VerdictError, match="no complete test. Fill rule"):
        judge()


def test_a_value_that_is_no_number_is_named(ledger):
    with pytest.raises(claims.VerdictError, match="something else than one number for value 0"):
        judge([pd.DataFrame({"body": ["a"]})])


def test_an_unknown_claim_names_its_neighbours():
    with pytest.raises(claims.VerdictError, match="no claim 'LEG-99'.*LEG-01"):
        claims.judge("LEG-99")


def test_a_placeholder_without_a_fact_is_refused(ledger):
    with pytest.raises(claims.VerdictError, match=r"placeholder \{gaps\}"):
        claims.judge("LEG-01", {"bodies": 7})


def test_the_card_says_what_was_found(ledger):
    card = judge([7])
    assert card["counter_evidence"] == "It has two gaps." and card["threshold"] == "at least 4 bodies"
    assert card["values"] == [{"label": "value 0", "text": "7"}] and card["figures"] == ["fig-a", "fig-b"]
    assert card["confidence"] == "High" and card["outcome"] == "meets"


@pytest.mark.parametrize(("value", "sentence"), [(9, "same at half and at twice"), (7, "Changes at twice the threshold, not at half")])
def test_sensitivity_is_computed(ledger, value, sentence):
    assert sentence in judge([value])["sensitivity"]


@pytest.mark.parametrize(("threshold", "unit"), [(0, "cases"), (100, "percent of texts"), (80, "percent")])
def test_no_sensitivity_where_the_question_makes_no_sense(threshold, unit):
    assert claims.sensitivity({"x": 1}, "all", "<=", threshold, unit) == ""


def test_sensitivity_to_half_the_threshold():
    assert "Changes at half the threshold, not at twice" in claims.sensitivity({"x": 3}, "all", ">=", 4)


@pytest.mark.parametrize(("kind", "verdict", "flags", "grade"), [
    ("fact", "Supported", [], "High"), ("trend", "Mixed", ["a"], "Moderate"), ("comparison", "Contradicted", ["a", "b", "c"], "Low"),
    ("effect", "Supported", [], "Moderate"), ("causal", "Mixed", ["a"], "Low"), ("fact", "Not shown", [], None), ("normative", "Not testable", [], None)])
def test_confidence_is_computed_from_kind_and_flags(kind, verdict, flags, grade):
    assert claims.confidence(kind, verdict, flags) == grade


def test_a_chapter_tells_its_verdicts_in_the_order_of_the_scale(monkeypatch):
    frame = pd.DataFrame({"claim_id": ["A-1", "A-2", "A-3", "B-1"], "chapter": [4, 4, 4, 5], "verdict": ["Not shown", "Mixed", "Not shown", None]}).set_index("claim_id")
    monkeypatch.setattr(claims, "ledger", lambda: frame)
    assert claims.tally(4) == "one *Mixed* ([A-2](#A-2)) and two *Not shown* ([A-1](#A-1), [A-3](#A-3))"
    with pytest.raises(ValueError, match="judges no claim in chapter 5"):
        claims.tally(5)


def test_the_ledger_keeps_exactly_the_93_claims():
    frame = claims.ledger()
    essay = [f"{section}-{number:02}" for section, count in ESSAY.items() for number in range(1, count + 1)]
    assert len(essay) == 93
    assert sorted(frame.index[frame["parent_id"].isna()]) == sorted(essay)
    children = frame[frame["parent_id"].notna()]
    assert children["parent_id"].isin(frame.index).all()
    assert all(child.rstrip("abcdef") == parent for child, parent in children["parent_id"].items())


def test_judged_claims_are_complete_and_keep_the_rules():
    judged = claims.ledger().dropna(subset="verdict")
    assert len(judged) >= 9
    for claim_id, row in judged.iterrows():
        flags = row["flags"].split(";") if isinstance(row["flags"], str) else []
        assert row["verdict"] in claims.SCALE and set(flags) <= set(claims.FLAGS), claim_id
        assert isinstance(row["test"], str) and isinstance(row["counter_evidence"], str) and isinstance(row["would_settle"], str), f"{claim_id} lacks a test, counter-evidence or what would settle it"
        assert pd.isna(row["threshold"]) == pd.isna(row["operator"]) == pd.isna(row["rule"]), f"{claim_id}: rule, operator and threshold go together"


def test_no_number_is_typed_into_the_sentences_of_the_ledger():
    names = re.compile(r"\{[a-z_]+\}|\b(1[89]|20)\d\d\b|[Rr]esolution \d+|recommendations? [\d to]+|outcome \d+|\b11 September")
    for claim_id, row in claims.ledger().dropna(subset="verdict").iterrows():
        for column in ("narrowed", "counter_evidence", "would_settle", "looked_for"):
            if isinstance(row[column], str):
                assert not re.search(r"\d", names.sub("", row[column])), f"{claim_id}, {column}: compute the number in the notebook and write a {{placeholder}}: {row[column]!r}"


def test_every_claim_belongs_to_a_chapter():
    assert claims.ledger()["chapter"].between(1, 12).all() and "claims" in data.names()
