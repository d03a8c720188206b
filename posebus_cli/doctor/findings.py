"""What `doctor` reports: one finding a check."""

from __future__ import annotations

from dataclasses import dataclass

from posebus.config.redaction import redact_text

FINE = "fine"
NOTE = "note"
BROKEN = "broken"

MARKS = {FINE: ("✓", "green"), NOTE: ("·", "yellow"), BROKEN: ("✗", "red")}
"""Mark and colour of each status."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check. `advice` says what to do about what is not fine."""

    name: str
    status: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str | None]:
        """The finding as plain data, for `--json`."""
        return {
            "name": self.name,
            "status": self.status,
            "text": redact_text(self.text),
            "advice": redact_text(self.advice) or None,
        }
