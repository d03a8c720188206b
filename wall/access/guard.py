"""The one place that says who asks, and refuses what a person may not do."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from wall.access.people import LOCAL, Person, Right


def person_of(connection: HTTPConnection) -> Person | None:
    """Return who has sent this request or opened this WebSocket; None for somebody who has not logged in."""
    return LOCAL


def require(connection: HTTPConnection, right: Right) -> Person:
    """Return who asks. Raises HTTPException: 401 without a login, 403 without `right`."""
    person = person_of(connection)
    if person is None:
        raise HTTPException(401, "log in first")
    if not person.may(right):
        raise HTTPException(403, f"{person.name} is a {person.role.value} and may not do this")
    return person
