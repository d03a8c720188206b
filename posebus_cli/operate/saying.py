"""Where a command prints what it says while it runs."""

from __future__ import annotations

from collections.abc import Callable

from posebus.plain_text import plain

Say = Callable[[str], None]


def say_line(text: str) -> None:
    """Print `text` at once."""
    print(plain(text), flush=True)


def say_nothing(text: str) -> None:
    """Print nothing."""
