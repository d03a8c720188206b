"""The audit lines: who changed what, from where. They go to the log of the wall, as records of `posebus.wall.audit`."""

from __future__ import annotations

import logging

from posebus.logs.about import about
from posebus.plain_text import plain
from wall.access.people import Visitor

log = logging.getLogger("posebus.wall.audit")


def audit(person: Visitor, text: str, *, camera: str | None = None) -> None:
    """Log that `person` did what `text` says, as in "saved the rules of hall". `camera`: the one that it is about.

    The log hides credentials of addresses in `text`.
    """
    origin = f" from {person.address}" if person.address else ""
    log.info("%s (%s)%s %s", plain(person.name), person.role.value, origin, plain(text), extra=about(camera))


def audit_refused(name: str, address: str) -> None:
    """Log a login that failed. `name` is what was typed, which may be a password in the wrong field."""
    shown = plain(name)[:3]
    log.warning("a login failed from %s, for a name that begins with %r", address, shown)
