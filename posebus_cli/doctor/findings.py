"""The findings of `doctor`: one for each check."""

from __future__ import annotations

from dataclasses import dataclass

from posebus.config.redaction import harmless

FINE = "fine"
NOTE = "note"
BROKEN = "broken"

MARKS = {FINE: ("✓", "green"), NOTE: ("·", "yellow"), BROKEN: ("✗", "red")}
"""Mark and colour of each status."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `advice` is what to do about a problem."""

    name: str
    status: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str | None]:
        """Return the finding as plain data, for `--json`."""
        return {
            "name": self.name,
            "status": self.status,
            "text": harmless(self.text),
            "advice": harmless(self.advice) or None,
        }
