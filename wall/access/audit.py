"""The audit lines: who changed what. They go to the log of the wall, as records of `posebus.wall.audit`."""

from __future__ import annotations

import logging

from posebus.logs.about import about
from posebus.plain_text import plain
from wall.access.people import Person

log = logging.getLogger("posebus.wall.audit")


def audit(person: Person, text: str, *, camera: str | None = None) -> None:
    """Log that `person` did what `text` says, as in "saved the rules of hall". `camera`: the one that it is about.

    The log hides credentials of addresses in `text`.
    """
    log.info("%s (%s) %s", plain(person.name), person.role.value, plain(text), extra=about(camera))
