"""Numbers in sentences for people: "1 frame", "2 frames", "1 person", "2 people"."""

from __future__ import annotations

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
