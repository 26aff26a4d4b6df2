"""Say this number: formats for computed prose.

Every value passes through `significant` before it is printed, because linear-algebra builds differ
in the last digits between machines and the stored outputs must be the same on all of them.
"""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from math import floor, log10

import pandas as pd
from IPython.display import Markdown

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
QUALIFIERS = {"exact": "", "about": "about ", "more_than": "more than ", "at_least": "at least ", "less_than": "under ", "up_to": "up to ", "planned": "planned ", "inferred": ""}


def significant(value: float, digits: int = 6) -> float:
    """Round to a number of significant digits; zero, infinities and missing values stay as they are."""
    if pd.isna(value) or value == 0 or abs(value) == float("inf"):
        return value
    return round(value, digits - 1 - floor(log10(abs(value))))


def number(value: float, decimals: int = 0) -> str:
    """`5668` -> '5,668'; `29.5, 1` -> '29.5'; below zero with a true minus sign."""
    return f"{significant(float(value)):,.{decimals}f}".replace("-", "−")


def word(count: int) -> str:
    """Small whole numbers in words, as running text wants them: 3 -> 'three', 186 -> '186'."""
    return WORDS[count] if 0 <= count < len(WORDS) else number(count)


def percent(share: float, decimals: int = 0) -> str:
    """A share between 0 and 1 as a percentage: 0.634 -> '63%'."""
    return f"{number(100 * share, decimals)}%"


def change(share: float, decimals: int = 0) -> str:
    """A relative change with its sign: 0.113 -> '+11%', -0.375 -> '−38%'."""
    return ("+" if share > 0 else "") + percent(share, decimals)


def times(ratio: float) -> str:
    """A ratio as a multiple, one decimal below ten: 5.61 -> '5.6 times', 29.5 -> '30 times'."""
    return f"{number(ratio, 1 if abs(ratio) < 10 else 0)} times"


def interval(low: float, high: float, decimals: int = 1) -> str:
    """A 95% interval: '3.6 to 5.9'."""
    return f"{number(low, decimals)} to {number(high, decimals)}"


def day(date) -> str:
    """'2001-09-28' -> '28 September 2001'; a year or a month stays as coarse as it is."""
    text = str(date)[:10]
    if len(text) == 4:
        return text
    stamp = pd.Timestamp(text)
    return f"{stamp:%B %Y}" if len(text) == 7 else f"{stamp.day} {stamp:%B %Y}"


def qualified(kinds: pd.Series) -> pd.Series:
    """The words before each number of a column `qualifier`, empty where it has none: 'more_than' -> 'more than '. Raises ValueError for an unknown kind."""
    words = kinds.fillna("exact").map(QUALIFIERS)
    if words.isna().any():
        raise ValueError(f"column {kinds.name!r} has {kinds[words.isna()].iloc[0]!r}, which is none of {listing(QUALIFIERS)}. Correct the table, or add its words to QUALIFIERS in notebooks/evidence/text.py.")
    return words


def listing(items: Iterable[str]) -> str:
    """['a', 'b', 'c'] -> 'a, b and c'."""
    *head, last = [str(item) for item in items] or ["none"]
    return f"{', '.join(head)} and {last}" if head else last


def wrapped(line: str, width: int) -> list[str]:
    """A line broken at blanks into pieces of at most `width` letters, for words inside a drawing."""
    return textwrap.wrap(line, width, break_long_words=False)


def say(sentence: str) -> Markdown:
    """Computed prose: the book prints it as text, and nbval compares it like any other output. A blank line parts paragraphs."""
    return Markdown("\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", sentence.strip())))
