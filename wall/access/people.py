"""People and what they may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
class Visitor:
    """A person or a program that has opened the wall. `name`: that of the configuration, or "local" without a login.

    `address`: where his request comes from, for the log.
    """

    name: str
    role: Role
    address: str = field(default="", compare=False)

    def may(self, right: Right) -> bool:
        """Whether this person has `right`."""
        return right in self.role.rights

    def at(self, address: str) -> Visitor:
        """Return the same person, whose request comes from `address`."""
        return replace(self, address=address)


LOCAL = Visitor("local", Role.OPERATOR)
"""All visitors of a wall on the loopback address whose configuration names no people."""
