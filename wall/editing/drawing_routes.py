"""The requests of the page's editor: reading, checking and saving what is drawn on the picture of a camera."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from posebus.errors import RetryableError
from posebus.messages import TrackFrame
from posebus.subscribing.subscription import StreamEntry, decode_entry
from wall.access.audit import audit
from wall.access.people import Visitor
from wall.context import WallContext, context_of
from wall.editing.answers import Refused, answer, body_of, changing, text_field
from wall.editing.drawing import Drawing, as_text, drawing_of, for_page, from_page, problems_of
from wall.editing.drawing_changes import EditedMeanwhile, drawing_saved
from wall.editing.target import camera_in, find_place, make_change, recorded

DRAWN = ("rules", "ground")
MOST_REMEMBERED = 200


class Handed:
    """The drawings that pages were given, by revision: so that it can be said what others have changed since."""

    def __init__(self) -> None:
        self._drawings: OrderedDict[str, Drawing] = OrderedDict()

    def add(self, drawing: Drawing) -> None:
        """Remember a drawing; the oldest is forgotten."""
        self._drawings[drawing.revision] = drawing
        self._drawings.move_to_end(drawing.revision)
        while len(self._drawings) > MOST_REMEMBERED:
            self._drawings.popitem(last=False)

    def find(self, revision: str) -> Drawing | None:
        """Return the drawing with this revision, if it is remembered."""
        return self._drawings.get(revision)


def routes() -> list[BaseRoute]:
    """The routes of one application."""
    handed = Handed()

    @changing
    async def read(request: Request, person: Visitor) -> Response:
        camera = request.path_params["camera"]
        drawing, size_px = await asyncio.to_thread(_read, context_of(request), camera)
        handed.add(drawing)
        return answer({**for_page(drawing, camera), "size": size_px})

    @changing
    async def check(request: Request, person: Visitor) -> Response:
        camera = request.path_params["camera"]
        wanted = from_page(await body_of(request, needed=DRAWN, allowed=("revision",)))
        problems, clean = await asyncio.to_thread(_checked, context_of(request), camera, wanted)
        return answer({"problems": problems, "yaml": "" if clean is None else as_text(clean, camera)})

    @changing
    async def save(request: Request, person: Visitor) -> Response:
        camera = request.path_params["camera"]
        body = await body_of(request, needed=("revision", *DRAWN))
        revision = text_field(body, "revision")
        saved, sentence = await asyncio.to_thread(
            _save, context_of(request), camera, from_page(body), revision, handed.find(revision)
        )
        handed.add(saved)
        audit(person, f"saved the drawing of {camera}: {sentence}", camera=camera)
        return answer({"revision": saved.revision, "saved": sentence})

    path = "/api/cameras/{camera}/drawing"
    return [
        Route(path, read, methods=["GET"]),
        Route(path, save, methods=["PUT"]),
        Route(f"{path}/check", check, methods=["POST"]),
    ]


def _read(context: WallContext, camera: str) -> tuple[Drawing, tuple[int, int] | None]:
    return drawing_of(camera_in(context, find_place(context), camera)), _size_px(context, camera)


def _checked(context: WallContext, camera: str, wanted: Drawing) -> tuple[list[dict[str, str]], Drawing | None]:
    return problems_of(wanted, camera, camera_in(context, find_place(context), camera))


def _save(
    context: WallContext, camera: str, wanted: Drawing, revision: str, base: Drawing | None
) -> tuple[Drawing, str]:
    now = camera_in(context, find_place(context), camera)
    problems, clean = problems_of(wanted, camera, now)
    if clean is None:
        first = problems[0]
        told = f"{first['path']}: {first['sentence']}" if first["path"] else first["sentence"]
        raise Refused(400, told, path=first["path"], problems=problems)
    if drawing_of(now).revision != revision:
        raise EditedMeanwhile(camera, base, drawing_of(now))

    def announced() -> Drawing | None:
        return None if (record := recorded(context, camera)) is None else drawing_of(record)

    return clean, make_change(context, drawing_saved(camera, clean, revision, base, announced)).text


def _size_px(context: WallContext, camera: str) -> tuple[int, int] | None:
    """The size of the camera's newest picture; None if it has none, or the broker does not answer."""
    try:
        broker = context.open_broker()
        key = broker.topology.tracks(camera)
        with broker.errors():
            newest = cast("list[Any]", broker.client.xrevrange(key, count=1))
    except RetryableError:
        return None
    for entry_id, fields in newest:
        message = decode_entry(StreamEntry(kind="tracks", stream=key, entry_id=entry_id.decode(), fields=fields))
        if message is not None and isinstance(message.body, TrackFrame):
            return message.body.size_px
    return None
