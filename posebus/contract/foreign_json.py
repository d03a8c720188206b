"""JSON that others wrote, in the broker or in a file: the one place that parses it, within limits of size and depth.

JSON may be nested so deeply that Python gives up (RecursionError), here or where it is written again, and may hold
numbers of any length. Both are malformed input like a missing bracket, and never end a process.
"""

from __future__ import annotations

import json
from typing import Any

from posebus.errors import MalformedMessage

MAX_BYTES = 8_000_000
"""A thousand people take less than 1 MB. Parsed JSON takes many times as much memory as its text."""
MAX_DEPTH = 64
"""posebus writes nothing deeper than ten."""
MAX_WHOLE = 2**63 - 1
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
    if isinstance(value, (list, dict)) and _may_be_deep(raw) and _is_deep(value):
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


def _may_be_deep(raw: bytes | str) -> bool:
    """Whether there are brackets enough; counting them takes far less time than walking through the value."""
    brackets = raw.count(b"[") + raw.count(b"{") if isinstance(raw, bytes) else raw.count("[") + raw.count("{")
    return brackets > MAX_DEPTH


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
        level = [one for one in inside if isinstance(one, (list, dict))]
        if not level:
            return False
    return True
