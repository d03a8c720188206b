"""Refusals, and how they are answered: JSON with one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wall.access.headers import headers_for

LOG_IN_FIRST = "log in first"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served. status: of HTTP. wait_s: after which time the same request may be served."""

    status: int
    sentence: str
    wait_s: float | None = None

    def response(self) -> Response:
        """Return the answer over HTTP."""
        headers = {} if self.wait_s is None else {"Retry-After": str(math.ceil(self.wait_s))}
        return sentence(self.status, self.sentence, headers)


def sentence(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that says one sentence."""
    return JSONResponse({"sentence": text}, status, headers=dict(headers or {}))


async def answer_of_exception(request: Request, error: Exception) -> Response:
    """Answer an HTTPException as all refusals are answered; give it to the application as a handler."""
    assert isinstance(error, HTTPException)
    return sentence(error.status_code, error.detail, error.headers)


async def answer_of_unexpected(request: Request, error: Exception) -> Response:
    """Answer an unexpected error without saying anything about it: the log has what happened."""
    return sentence(500, "something went wrong in the wall; its log says what", headers_for(request.url.path))


def too_soon(what: str, wait_s: float) -> Refusal:
    """Return the refusal of `what`, of which there was too much, for `wait_s`."""
    seconds = max(1, math.ceil(wait_s))
    return Refusal(429, f"{what}: wait {seconds} {'second' if seconds == 1 else 'seconds'} and try again", wait_s)
