"""How `posebus run` prints its summary, of recordings and of cameras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from posebus.plain_text import plain, plain_json
from posebus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def print_summary(summary: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the summary as JSON, or `lines`, which say the same as text."""
    if as_json:
        print(plain_json(json.dumps(summary, indent=2, ensure_ascii=False)))
        return
    for line in lines:
        print(plain(line))


def last_lines(summary: Mapping[str, Any], noun: str, out: Path | None) -> list[str]:
    """Return how many inputs (`noun`: what they are) failed, if any, and the folder of the files, if there are any."""
    failed = len(summary["failed"])
    why = "the reason is" if failed == 1 else "the reasons are"
    lines = [f"{counted(failed, noun)} failed; {why} above"] if failed else []
    return lines if out is None else [*lines, f"files: {out}"]
