"""Parts of sentences for people: "1 frame", "2 people", "did you mean 'zone'?"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

IRREGULAR = {"person": "people", "identity": "identities", "entry": "entries", "box": "boxes", "process": "processes"}
"""Nouns whose plural is not the noun and an s."""


def plural(number: float, noun: str) -> str:
    """Return `noun` in the form that stands after `number`; of several words the last one changes."""
    if number == 1:
        return noun
    first, space, last = noun.rpartition(" ")
    return f"{first}{space}{IRREGULAR.get(last, f'{last}s')}"


def counted(number: int, noun: str) -> str:
    """Return `number` and `noun`: `counted(2, "dead letter")` is "2 dead letters"."""
    return f"{number} {plural(number, noun)}"


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a question that offers the candidate most similar to `name`, or an empty text if none is similar."""
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
