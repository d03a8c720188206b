"""Keys of a terminal, and how they scroll. Pure."""

from __future__ import annotations

import re
from enum import StrEnum


class Key(StrEnum):
    """What a key means."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    FIRST = "first"
    LAST = "last"
    QUIT = "quit"


_KEYS = {
    **{"k": Key.UP, "j": Key.DOWN, " ": Key.PAGE_DOWN, "b": Key.PAGE_UP, "g": Key.FIRST, "G": Key.LAST, "q": Key.QUIT},
    **{"\x1b[A": Key.UP, "\x1bOA": Key.UP, "\x1b[B": Key.DOWN, "\x1bOB": Key.DOWN},
    **{"\x1b[5~": Key.PAGE_UP, "\x1b[6~": Key.PAGE_DOWN},
    **{"\x1b[H": Key.FIRST, "\x1bOH": Key.FIRST, "\x1b[1~": Key.FIRST},
    **{"\x1b[F": Key.LAST, "\x1bOF": Key.LAST, "\x1b[4~": Key.LAST},
}
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)
"""One key: an escape sequence (ECMA-48, and SS3 of terminals in application mode), or one character."""


def keys_in(typed: bytes) -> list[Key]:
    """Return the known keys among what was typed, in order."""
    found = [_KEYS.get(one) for one in _SEQUENCE.findall(typed.decode("ascii", errors="replace"))]
    return [key for key in found if key is not None]


def scrolled(position: int, key: Key, page: int, last: int) -> int:
    """Return the position after `key`, in lines from the top: 0 to `last`. A page has `page` lines."""
    steps = {Key.UP: -1, Key.DOWN: 1, Key.PAGE_UP: -page, Key.PAGE_DOWN: page, Key.FIRST: -last, Key.LAST: last}
    return max(0, min(last, min(position, last) + steps.get(key, 0)))
