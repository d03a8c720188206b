"""The web application of the wall: its routes from all parts, in one place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wall.access.access import Access
from wall.access.middleware import AccessMiddleware
from wall.access.refusing import answer_of_exception, answer_of_unexpected
from wall.access.routes import access_routes
from wall.browser_camera.cameras import BrowserCameras
from wall.browser_camera.network_files import ROUTES as NETWORK_ROUTES
from wall.browser_camera.socket import ROUTES as BROWSER_CAMERA_ROUTES
from wall.context import WallContext
from wall.editing.routes import editing_routes
from wall.live.hub import Hub
from wall.live.socket import ROUTES as LIVE_ROUTES
from wall.views.routes import ROUTES as VIEW_ROUTES

STATIC = Path(__file__).parent / "static"


def application(context: WallContext, access: Access | None = None) -> Starlette:
    """Return the application. Its live part starts and ends with it.

    Every request passes `access`, which is by default that of the settings.
    """
    access = access or Access(context.settings.wall)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with Hub(context) as hub, BrowserCameras(context) as cameras:
            app.state.hub = hub
            app.state.browser_cameras = cameras
            yield

    parts = [
        *access_routes(access),
        *LIVE_ROUTES,
        *VIEW_ROUTES,
        *editing_routes(),
        *BROWSER_CAMERA_ROUTES,
        *NETWORK_ROUTES,
    ]
    app = Starlette(
        routes=[*parts, *_pages()],
        middleware=[Middleware(AccessMiddleware, access)],
        exception_handlers={HTTPException: answer_of_exception, Exception: answer_of_unexpected},
        lifespan=lifespan,
    )
    app.state.context = context
    return app


def _pages() -> list[BaseRoute]:
    """The pages and their files."""

    async def wall_page(request: Request) -> FileResponse:
        return FileResponse(STATIC / "index.html")

    async def camera_page(request: Request) -> FileResponse:
        return FileResponse(STATIC / "camera.html")

    return [
        Route("/", wall_page),
        Route("/camera", camera_page),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
