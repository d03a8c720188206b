"""Keys of a terminal: escape sequences and letters, several at once, and where they scroll."""

from __future__ import annotations

import pytest

from posebus_cli.observe.screen.keys import Key, keys_in, scrolled


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"jk q", [Key.DOWN, Key.UP, Key.PAGE_DOWN, Key.QUIT]),
        (b"\x1b[A\x1bOB\x1b[5~\x1b[6~", [Key.UP, Key.DOWN, Key.PAGE_UP, Key.PAGE_DOWN]),
        (b"\x1b[1;5A\x1b[200~xyz\xff\x1b", []),  # Ctrl with an arrow, a pasted text, bytes that are no text
        (b"gG\x1b[H\x1b[F", [Key.FIRST, Key.LAST, Key.FIRST, Key.LAST]),
    ],
)
def test_known_keys_are_found_and_others_are_skipped_whole(typed: bytes, keys: list[Key]) -> None:
    assert keys_in(typed) == keys


def test_scrolling_stays_between_the_first_and_the_last_line() -> None:
    assert [scrolled(5, key, page=4, last=10) for key in (Key.UP, Key.DOWN, Key.PAGE_UP, Key.PAGE_DOWN)] == [4, 6, 1, 9]
    assert [scrolled(9, Key.PAGE_DOWN, 4, 10), scrolled(1, Key.PAGE_UP, 4, 10)] == [10, 0]
    assert [scrolled(3, Key.FIRST, 4, 10), scrolled(3, Key.LAST, 4, 10)] == [0, 10]
    assert scrolled(9, Key.UP, page=4, last=2) == 1, "after the terminal has grown"
