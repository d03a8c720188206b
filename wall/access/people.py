"""People and what they may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Right(Enum):
    """One thing that a person may do."""

    POSES = "poses"
    """See skeletons, tracks, events and the state of cameras."""
    PICTURES = "pictures"
    """See pictures."""
    SEND = "send"
    """Be a camera."""
    CHANGE = "change"
    """Change rules and cameras."""


class Role(Enum):
    """What a person was given by the configuration."""

    OPERATOR = "operator"
    VIEWER = "viewer"
    PRIVACY_VIEWER = "privacy viewer"

    @property
    def rights(self) -> frozenset[Right]:
        """Everything that this role may do."""
        return _RIGHTS[self]


_RIGHTS = {
    Role.OPERATOR: frozenset(Right),
    Role.VIEWER: frozenset({Right.POSES, Right.PICTURES}),
    Role.PRIVACY_VIEWER: frozenset({Right.POSES}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has opened the wall. `name` is that of the configuration, or "local" without a login."""

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Whether this person has `right`."""
        return right in self.role.rights


LOCAL = Person("local", Role.OPERATOR)
"""Whoever opens the wall on the loopback address where the configuration names nobody."""
