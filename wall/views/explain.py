"""How the frames of a camera are inferred and why, as `posebus explain` says it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from posebus.bus.redis.connection import Broker
from posebus.errors import ConfigError
from posebus.explaining.lines import lines
from posebus.explaining.reading import read_inputs
from posebus.telemetry.explanation import explanation
from wall.access.people import Right
from wall.context import WallContext
from wall.views.answers import NotThere, answered

WITHIN_S = 300.0
"""Decisions that are shown, as in the command."""


async def explain(request: Request) -> Response:
    """Answer `/api/explain/{camera}`."""
    camera = request.path_params["camera"]

    def answer(context: WallContext, broker: Broker) -> dict[str, Any]:
        try:
            read = read_inputs(broker, camera)
        except ConfigError as error:
            raise NotThere(str(error)) from None
        found = explanation(read.inputs)
        said = [line.strip() for line in lines(found, WITHIN_S) if line.strip()]
        said += [] if read.problem is None else [f"{read.problem}; the rest is shown without its decisions"]
        return {"sentences": said, "details": found.as_dict(WITHIN_S)}

    return await answered(request, Right.POSES, answer, JSONResponse)
