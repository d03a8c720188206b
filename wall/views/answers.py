"""Questions of the page: who may ask them, and errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from posebus.bus.redis.connection import Broker
from posebus.errors import PoseBusError, RetryableError
from wall.access.guard import require
from wall.access.people import Right
from wall.context import WallContext, context_of

_T = TypeVar("_T")
MOST_AT_ONCE = 4
"""Questions that are answered at once; each reads the broker in a thread, and further ones wait."""
_LIMIT_KEY = "views_limit"


class NotThere(Exception):
    """What was asked for does not exist (any more)."""


async def answered(
    request: Request, right: Right, answer: Callable[[WallContext, Broker], _T], form: Callable[[_T], Response]
) -> Response:
    """Return what `answer` says, which a thread computes with a connection of its own, as a response of `form`.

    People without `right` are refused, and what `answer` raises on purpose becomes an answer.
    """
    try:
        require(request, right)
        return form(await _in_thread(request, answer))
    except HTTPException as error:
        return sentence(error.status_code, error.detail)
    except NotThere as error:
        return sentence(404, str(error))
    except RetryableError as error:
        return sentence(503, str(error))
    except (PoseBusError, ValueError) as error:
        return sentence(400, str(error))


def sentence(status: int, text: str) -> Response:
    """Return an answer that says what is wrong."""
    return JSONResponse({"sentence": text}, status)


async def _in_thread(request: Request, answer: Callable[[WallContext, Broker], _T]) -> _T:
    state = request.app.state
    if not hasattr(state, _LIMIT_KEY):
        setattr(state, _LIMIT_KEY, asyncio.Semaphore(MOST_AT_ONCE))
    context = context_of(request)

    def read() -> _T:
        broker = context.open_broker()
        try:
            return answer(context, broker)
        finally:
            broker.client.close()

    async with getattr(state, _LIMIT_KEY):
        return await asyncio.to_thread(read)
