"""The addresses of what the wall shows when asked."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from wall.views.events import event_picture, events
from wall.views.explain import explain

ROUTES: list[BaseRoute] = [
    Route("/api/events", events),
    Route("/api/events/{id:path}/picture", event_picture),
    Route("/api/explain/{camera}", explain),
]
