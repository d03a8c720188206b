"""Text of others as it may be shown: no character of it controls a terminal, starts a line or turns the text around.

File names, and all that stands in the broker, may hold anything. A title sequence, a line break in a log, or a mark
that reverses what follows would let its author forge what the program says.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 4000
"""More than any sentence of posebus; longer text is cut."""
_BREAK_INSIDE = re.compile(r"\n(?!  )")


def plain(text: str, most: int = MAX_CHARACTERS) -> str:
    """`text` on one line, at most `most` characters of it, with escapes like \\x1b for all that is not printable."""
    if text.isprintable() and len(text) <= most:
        return text
    cut = text[:most]
    shown = cut if cut.isprintable() else "".join(map(_shown, cut))
    return shown if len(text) <= most else f"{shown}…"


def plain_lines(text: str) -> str:
    """`text` on several lines, of which all but the first are indented; other line breaks in it become \\n."""
    return "\n".join(plain(line) for line in _BREAK_INSIDE.sub(r"\\n", text).split("\n"))


def plain_json(text: str) -> str:
    """A JSON text of the same meaning in which all that is not printable is escaped. Line breaks stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _json_escape(one) for one in text)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character in " \u00a0\u202f":
        return " "
    return character.encode("unicode_escape").decode()


def _json_escape(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
