"""A rule that is open: what it remembers, what is happening by it, and whether its answers can be published."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from posebus.config.rules.kinds import KINDS, RuleSettings
from posebus.config.rules.reading import RULES_GROUP
from posebus.errors import ConfigError
from posebus.installed.plugins import describe
from tracking.rules.base import Memory, Place, Rule, Step
from tracking.rules.happenings import Happenings
from tracking.rules.table import all_rules

MOST_STEPS = 1000
"""Steps with which one rule may answer one frame."""
_FOREIGN_TYPE = re.compile(r"(?!posebus\.)[A-Za-z0-9][A-Za-z0-9._-]{0,126}", re.ASCII)


class OpenRule:
    """A rule, what it remembers, and what is happening by it."""

    def __init__(self, name: str, settings: RuleSettings, place: Place) -> None:
        kind = settings.kind
        try:
            self.rule: Rule = all_rules()[kind].open(settings, place)
        except ConfigError as error:
            raise ConfigError(f"rule {name}: {error}") from error
        except KeyError:
            raise ConfigError(f"rule {name}: there is no rule of the kind {kind!r} here") from None
        except Exception as error:
            where = describe(RULES_GROUP, kind)
            raise ConfigError(f"rule {name}: {where} cannot be opened: {type(error).__name__}: {error}") from error
        self.kind = kind
        self.foreign = kind not in KINDS
        self.memory = Memory()
        self.happenings = Happenings(name, settings)
        self.stepped: dict[int, int] = {}
        """By track id, the number of the frame of the last step about it."""

    def state_dict(self) -> dict[str, Any]:
        """What the rule remembers, as JSON values."""
        return {
            "kind": self.kind,
            "whole": self.memory.whole,
            "tracks": {str(track_id): memory for track_id, memory in self.memory.tracks.items()},
            "happenings": self.happenings.state_dict(),
            "stepped": {str(track_id): seq for track_id, seq in self.stepped.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError, AttributeError or ValueError for an invalid state."""
        self.memory.whole = dict(state["whole"])
        self.memory.tracks = {int(track_id): dict(memory) for track_id, memory in state["tracks"].items()}
        self.happenings.load_state(state["happenings"])
        self.stepped = {int(track_id): int(seq) for track_id, seq in state["stepped"].items()}

    def check(self, steps: Sequence[Step]) -> None:
        """Raise ValueError or TypeError for steps and memory of another package that cannot be published or kept."""
        if len(steps) > MOST_STEPS:
            raise ValueError(f"it answers one frame with more than {MOST_STEPS} steps")
        json.dumps([self.memory.whole, list(self.memory.tracks.values())])
        for step in steps:
            for type_ in (step.type, step.end_type):
                if type_ is not None and not _FOREIGN_TYPE.fullmatch(type_):
                    raise ValueError(
                        f"the type {type_[:128]!r} of an event is not allowed: use letters, digits, '.', '_' and '-', "
                        "and not 'posebus.' at the beginning"
                    )
            json.dumps(dict(step.data), allow_nan=False)
