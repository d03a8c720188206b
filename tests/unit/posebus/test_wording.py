"""Numbers and nouns agree."""

from __future__ import annotations

import pytest

from posebus.wording import counted, plural


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "frame", "0 frames"),
        (1, "frame", "1 frame"),
        (2, "frame", "2 frames"),
        (1, "person", "1 person"),
        (7, "person", "7 people"),
        (2, "identity", "2 identities"),
        (3, "dead letter", "3 dead letters"),
    ],
)
def test_number_and_noun_agree(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_a_number_that_is_not_whole_takes_the_plural() -> None:
    assert plural(1.5, "second") == "seconds"
