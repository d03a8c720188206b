"""The one place that says who asks, and refuses what a person may not do."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from wall.access.people import Right, Visitor
from wall.access.refusing import LOG_IN_FIRST

PERSON = "posebus.person"
"""Where `wall.access.middleware` leaves who asks: a key of the ASGI scope. Without the middleware, all are refused."""


def person_of(connection: HTTPConnection) -> Visitor | None:
    """Return who has sent this request or opened this WebSocket; None without a login."""
    person: Visitor | None = connection.scope.get(PERSON)
    return person


def require(connection: HTTPConnection, right: Right) -> Visitor:
    """Return who asks. Raises HTTPException: 401 without a login, 403 without `right`."""
    person = person_of(connection)
    if person is None:
        raise HTTPException(401, LOG_IN_FIRST)
    if not person.may(right):
        raise HTTPException(403, f"{person.name} is a {person.role.value} and may not do this")
    return person
