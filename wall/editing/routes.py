"""All routes of this part of the wall."""

from __future__ import annotations

from starlette.routing import BaseRoute

from wall.editing.camera_routes import ROUTES as CAMERA_ROUTES
from wall.editing.drawing_routes import routes as drawing_routes
from wall.editing.sample_picture import routes as sample_picture_routes


def editing_routes() -> list[BaseRoute]:
    """The routes of one application; they remember what its pages are doing."""
    return [*CAMERA_ROUTES, *drawing_routes(), *sample_picture_routes()]
