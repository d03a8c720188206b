"""Which rules are off, so that each is reported once. Pure."""

from __future__ import annotations

from collections.abc import Mapping


class RulesOff:
    """The rules that are off, of all cameras of a tracker."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def update(self, camera: str, problems: Mapping[str, str]) -> list[str]:
        """Take why rules of a camera are off now, by rule; returns those sentences that are new."""
        before = self._known.get(camera, {})
        self._known[camera] = dict(problems)
        return [problem for rule, problem in problems.items() if before.get(rule) != problem]
