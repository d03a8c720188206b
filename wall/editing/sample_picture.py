"""One picture of an address before a camera is saved: taken by a child process, which ends when the page leaves."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.redaction import harmless, redact_known, redact_url
from posebus.runtime.python_child import python_environment
from wall.access.audit import audit
from wall.access.people import Visitor
from wall.context import WallContext, context_of
from wall.editing.allowed_sources import allowed_folders
from wall.editing.answers import Refused, body_of, changing, object_field
from wall.editing.camera_fields import FIELDS, new_fields
from wall.editing.target import camera_in, find_place, settings_in

LIMIT_S = 60.0
"""The network that finds heads is loaded for it, and a camera may take long to answer."""
MAX_PICTURE_BYTES = 8_000_000
MAX_SENTENCE_BYTES = 20_000
NO_COMMAND = (
    "this wall takes no test pictures: start it by 'posebus wall' with the packages of ingest and worker installed"
)


def routes(limit_s: float = LIMIT_S) -> list[BaseRoute]:
    """The route of one application, which takes one picture at a time for each person."""
    busy: set[str] = set()

    @changing
    async def take(request: Request, person: Visitor) -> Response:
        context = context_of(request)
        if context.test_picture_command is None:
            raise Refused(503, NO_COMMAND)
        body = await body_of(request, needed=(), allowed=("source", "camera", "fields"))
        camera = await asyncio.to_thread(_wanted, context, body)
        if person.name in busy:
            raise Refused(429, "your last test picture is still being taken: wait for it, or cancel it")
        busy.add(person.name)
        try:
            audit(person, f"asked for a test picture of {redact_url(camera.source)}")
            picture = await _unless_gone(request, lambda: _picture(context, camera, limit_s))
        finally:
            busy.discard(person.name)
        return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    return [Route("/api/test-picture", take, methods=["POST"])]


def _wanted(context: WallContext, body: dict[str, object]) -> CameraSettings:
    """The camera that the page means: a new address, or that of a camera which it has shown without its password."""
    place = find_place(context)
    checked = settings_in(place)
    known = {} if checked is None or checked.settings is None else checked.settings.cameras
    fields = object_field(body, "fields") if "fields" in body else {}
    name, source = body.get("camera"), body.get("source")
    if name is not None:
        if not isinstance(name, str):
            raise Refused(400, "camera must be a name", path="camera")
        saved = camera_in(context, place, name)
        if source in (None, redact_url(saved.source)) and fields.get("kind") in (None, saved.kind):
            given = {key: value for key, value in fields.items() if value is not None and key in FIELDS}
            # They are checked with an address of no meaning, since that of the camera is none that a page may name.
            checked_fields = new_fields("camera", {**given, "source": "synthetic:bus"}, [])
            del checked_fields["source"]
            return CameraSettings.model_validate(saved.model_dump(mode="json") | checked_fields)
    values = new_fields("camera", {**fields, "source": source}, allowed_folders(place.file, known))
    return CameraSettings.model_validate(values)


async def _picture(context: WallContext, camera: CameraSettings, limit_s: float) -> bytes:
    """Run the child. Raises Refused. It is killed when this is cancelled."""
    command = context.test_picture_command
    assert command is not None
    settings = context.settings.model_copy(update={"cameras": {"camera": camera}, "sinks": {}})
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **python_environment()},
        limit=MAX_PICTURE_BYTES,
        start_new_session=True,
    )
    try:
        sent = json.dumps(settings.model_dump(mode="json", include={"cameras", "worker", "cache_dir"})).encode()
        async with asyncio.timeout(limit_s):
            picture, complaint = await child.communicate(sent)
    except TimeoutError:
        shown = redact_url(camera.source)
        raise Refused(400, f"{shown} gave no picture within {limit_s:g} s", path="source") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode or not picture.startswith(b"\xff\xd8") or len(picture) > MAX_PICTURE_BYTES:
        told = complaint[-MAX_SENTENCE_BYTES:].decode(errors="replace").strip().splitlines()
        sentence = redact_known(told[-1], camera.source, least=4) if told else "the picture could not be taken"
        raise Refused(400, harmless(sentence, 600), path="source")
    return picture


async def _unless_gone(request: Request, call: Callable[[], Awaitable[bytes]]) -> bytes:
    """Return what `call` returns; it is cancelled as soon as the page has gone. Raises what `call` raises."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    work, leaving = asyncio.ensure_future(call()), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Refused(400, "the page did not wait for the picture")
        return work.result()
    finally:
        for task in (work, leaving):
            task.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)
