"""People for tests of access, with passwords whose hashes are made once and at little cost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from posebus.config.wall.wall_settings import WallSettings
from wall.access.access import Access
from wall.access.guard import person_of, require
from wall.access.hashes import hash_of_token
from wall.access.middleware import AccessMiddleware
from wall.access.people import Right
from wall.access.refusing import answer_of_exception, answer_of_unexpected
from wall.access.routes import access_routes

PASSWORDS = {"olga": "operators password", "vera": "viewers password", "paul": "private password"}
ROLES = {"olga": "operator", "vera": "viewer", "paul": "privacy viewer"}
TOKEN = "t" * 43


def cheap_hash(password: str) -> str:
    """scrypt by hashlib, with parameters that take no time."""
    key = hashlib.scrypt(password.encode(), salt=b"0123456789abcdef", n=2, r=1, p=1, dklen=32)
    salt, text = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b"0123456789abcdef", key))
    return f"scrypt:2:1:1:{salt}:{text}"


def settings(**more: object) -> WallSettings:
    """Three people and a program."""
    people = {name: {"password": cheap_hash(PASSWORDS[name]), "role": role} for name, role in ROLES.items()}
    tokens = {"screen": {"token": hash_of_token(TOKEN), "role": "viewer"}}
    return WallSettings.model_validate({"people": people, "tokens": tokens, **more})


@dataclass
class Clock:
    """A clock that tests set, in seconds."""

    at_s: float = 1000.0

    def __call__(self) -> float:
        return self.at_s


@dataclass
class Door:
    """An application with little more than access, and clients of it."""

    clock: Clock = field(default_factory=Clock)
    settings: WallSettings = field(default_factory=settings)

    def __post_init__(self) -> None:
        self.access = Access(self.settings, self.clock)
        self.app = Starlette(
            routes=[*access_routes(self.access), *_routes()],
            middleware=[Middleware(AccessMiddleware, self.access)],
            exception_handlers={HTTPException: answer_of_exception, Exception: answer_of_unexpected},
        )

    def client(self, scheme: str = "http", address: str = "192.0.2.9") -> TestClient:
        """A browser at `address`, without cookies yet."""
        return TestClient(self.app, f"{scheme}://testserver", client=(address, 5000), raise_server_exceptions=False)

    @contextmanager
    def logged_in(self, name: str, scheme: str = "http") -> Iterator[TestClient]:
        """A browser that has logged in, and sends an Origin as browsers do."""
        with self.client(scheme) as client:
            client.headers["origin"] = f"{scheme}://testserver"
            answer = client.post("/api/login", json={"name": name, "password": PASSWORDS[name]})
            assert answer.status_code == 204, answer.text
            yield client


def _routes() -> list[BaseRoute]:
    async def hello(request: Request) -> Response:
        require(request, Right.POSES)
        return JSONResponse({"size": len(await request.body())})

    async def fails(request: Request) -> Response:
        raise RuntimeError("secret detail")

    async def socket(page: WebSocket) -> None:
        assert person_of(page) is not None
        await page.accept()
        await page.send_text("hello")
        async for text in page.iter_text():
            await page.send_text(text)

    return [
        Route("/api/hello", hello, methods=["GET", "POST"]),
        Route("/api/fails", fails),
        WebSocketRoute("/ws", socket),
    ]
