"""Requests of the page that change something: their bodies within limits, and errors as sentences."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from posebus.config.redaction import harmless
from posebus.contract.foreign_json import load_object
from posebus.errors import MalformedMessage, OutputError, PoseBusError, RetryableError
from wall.access.guard import require
from wall.access.people import Right, Visitor

MAX_BODY_BYTES = 200_000
"""All rules that a camera may have are smaller, and what the control socket takes is not larger."""
MAX_TEXT = 4000
LONGEST_SENTENCE = 2000

Handler = Callable[[Request, Visitor], Awaitable[Response]]


class Refused(Exception):
    """What was asked for is not done. `status` is that of HTTP; `more` are further fields of the answer."""

    def __init__(self, status: int, sentence: str, **more: object) -> None:
        super().__init__(sentence)
        self.status = status
        self.more = more


def changing(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return `handler` for people who may change things; errors that it raises on purpose become answers."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request, require(request, Right.CHANGE))
        except Refused as error:
            return _sentence(error.status, str(error), **error.more)
        except HTTPException as error:
            return _sentence(error.status_code, error.detail)
        except (OutputError, RetryableError) as error:
            return _sentence(503, str(error))
        except PoseBusError as error:
            return _sentence(400, str(error))
        except ClientDisconnect:
            return Response(status_code=400)

    return guarded


async def body_of(request: Request, *, needed: Collection[str], allowed: Collection[str] = ()) -> dict[str, Any]:
    """Return the JSON object that a page sent, with these fields and no others. Raises Refused."""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > MAX_BODY_BYTES:
            raise Refused(413, f"this is more than {MAX_BODY_BYTES} bytes: use fewer rules, or fewer points")
    try:
        body = await asyncio.to_thread(load_object, bytes(received), "what the page sent")
    except MalformedMessage as error:
        raise Refused(400, str(error)) from None
    _check_values(body)
    missing = [name for name in needed if name not in body]
    unknown = [name for name in body if name not in needed and name not in allowed]
    if missing:
        raise Refused(400, f"what the page sent lacks {missing[0]!r}")
    if unknown:
        raise Refused(400, f"what the page sent has a field {harmless(unknown[0], 60)!r}, which does not exist")
    return body


def _check_values(value: Any) -> None:
    """Raise Refused for numbers and texts that no setting has. JSON is nested at most 64 deep here."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT or not all(char.isprintable() for char in value):
            raise Refused(400, f"a text is longer than {MAX_TEXT} characters, or has characters that cannot be shown")
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        if not math.isfinite(value) if isinstance(value, float) else abs(value) >= 2**63:
            raise Refused(400, "a number is too large")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_values(key)
            _check_values(item)
    else:
        for item in value:
            _check_values(item)


def text_field(body: Mapping[str, Any], name: str) -> str:
    """Return a field that has to be a text. Raises Refused."""
    value = body[name]
    if not isinstance(value, str) or not value:
        raise Refused(400, f"{name} must be a text", path=name)
    return value


def object_field(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a field that has to be an object. Raises Refused."""
    value = body[name]
    if not isinstance(value, dict):
        raise Refused(400, f"{name} must hold fields by their names", path=name)
    return value


def answer(content: Mapping[str, object], status: int = 200) -> Response:
    """Return `content` as JSON that no cache keeps."""
    return JSONResponse(dict(content), status, headers={"Cache-Control": "no-store"})


def _sentence(status: int, sentence: str, **more: object) -> Response:
    lines = [harmless(line, LONGEST_SENTENCE) for line in sentence.splitlines()]
    return answer({"sentence": "\n".join(lines)[: 2 * LONGEST_SENTENCE], **more}, status)
