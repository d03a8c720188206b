"""The pages of an HTTP port: /metrics, /healthz and /readyz, as a WSGI application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from posebus.endpoints.readiness import Readiness

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

METRICS, HEALTH, READINESS = "/metrics", "/healthz", "/readyz"


def with_health_pages(
    others: WSGIApplication, problem: Callable[[], str | None], ready: Callable[[], Readiness]
) -> WSGIApplication:
    """An application that answers HEALTH and READINESS itself and passes all else on to `others`.

    HEALTH: 200 while `problem` returns None, else 503 with what it returns, about the process that answers. READINESS:
    200 or 503 by `ready`, about the whole deployment. Both are JSON, and are called in any thread.
    """

    def pages(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in {"/", METRICS}:
            return others(environ, start_response)
        if path not in {HEALTH, READINESS}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"there are {METRICS}, {HEALTH} and {READINESS}\n".encode()]
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Type", "text/plain")])
            return []
        return _answer(environ, start_response, _health(problem()) if path == HEALTH else ready().as_dict())

    return pages


def _health(problem: str | None) -> dict[str, Any]:
    return {"ready": problem is None, "reasons": [] if problem is None else [problem]}


def _answer(environ: WSGIEnvironment, start_response: StartResponse, content: dict[str, Any]) -> Iterable[bytes]:
    body = (json.dumps(content) + "\n").encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response("200 OK" if content["ready"] else "503 Service Unavailable", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
