"""JSON that others wrote, in the broker or in a file: the one place that parses it, within limits of size and depth.

JSON may be nested so deeply that Python gives up (RecursionError), here or where it is written again, and may hold
numbers of any length. Both are malformed input like a missing bracket, and never end a process.
"""

from __future__ import annotations

import json
import re
from typing import Any

from posebus.errors import MalformedMessage

MAX_BYTES = 8_000_000
"""A thousand people take less than 1 MB. Parsed JSON takes many times as much memory as its text."""
MAX_DEPTH = 64
"""posebus writes nothing deeper than ten."""
MAX_WHOLE = 2**63 - 1
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
WRONG_DATA = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading the fields of parsed JSON raises if they are not what they should be."""


def load_json(raw: bytes | str, subject: str, max_bytes: int = MAX_BYTES) -> Any:
    """The value in a JSON text. Raises MalformedMessage with a sentence about `subject`."""
    if len(raw) > max_bytes:
        raise MalformedMessage(f"{subject} has {len(raw)} bytes, more than {max_bytes}")
    try:
        value = json.loads(raw)
    except RecursionError:
        raise MalformedMessage(f"{subject} is nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        # Python's error about a number of thousands of digits, and about text that is no UTF-8, are ValueErrors, too.
        raise MalformedMessage(f"{subject} is not JSON: {str(error)[:100]}") from None
    if _is_deep(raw):
        raise MalformedMessage(f"{subject} is nested more than {MAX_DEPTH} deep")
    return value


def load_object(raw: bytes | str, subject: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The JSON object in a text. Raises MalformedMessage."""
    value = load_json(raw, subject, max_bytes)
    if not isinstance(value, dict):
        raise MalformedMessage(f"{subject} is not a JSON object")
    return value


def whole(value: object, least: int = 0, most: int = MAX_WHOLE) -> int:
    """`value` if it is a whole number within the limits, or a text of one. Raises ValueError or TypeError."""
    if isinstance(value, (bytes, str)):
        if len(value) > 20:
            raise ValueError("a number of more than 20 characters")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("expected a whole number")
    if not least <= value <= most:
        raise ValueError(f"{str(value)[:40]} is not from {least} to {most}")
    return value


def _is_deep(raw: bytes | str) -> bool:
    """Whether valid JSON is nested too deeply. Takes less time than walking through the value."""
    text = raw if isinstance(raw, bytes) else raw.encode(errors="replace")
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", text).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        # The innermost pairs of all branches.
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True
