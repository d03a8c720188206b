"""A change before it is made: what is written, what is set over the file, and when it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from posebus.changing.outcome import Outcome
from posebus.changing.targets import Running
from posebus.config.editing.yaml_edits import Edit
from posebus.config.loading import Checked


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change in three forms.

    edits: of the file, called with its settings; it raises ConfigError where they do not suit. overrides: the same for
    a running deployment alone, by dotted field. outcomes: by subject, when it has taken effect.
    """

    edits: Callable[[Checked], Sequence[Edit]]
    overrides: Callable[[Running], Mapping[str, object]]
    outcomes: Mapping[str, Outcome]
    may_create: bool = False
