"""The requests of the page about cameras: listing, adding, changing, pausing, resuming and removing them."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from posebus.changing.camera_changes import added, fields_set, paused, removed
from posebus.changing.camera_lines import camera_lines
from posebus.changing.targets import ChangeTarget
from posebus.changing.wanted import WantedChange
from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.settings import check_camera_name
from wall.access.audit import audit
from wall.access.people import Visitor
from wall.context import WallContext, context_of
from wall.editing.allowed_sources import allowed_folders
from wall.editing.answers import Refused, answer, body_of, changing, object_field, text_field
from wall.editing.camera_fields import changed_fields, new_fields, shown_fields
from wall.editing.target import MadeChange, camera_in, find_place, make_change, settings_in


@changing
async def list_cameras(request: Request, person: Visitor) -> Response:
    """All cameras of the file and of the running deployments, with their states."""
    return answer(await asyncio.to_thread(_listed, context_of(request)))


@changing
async def read_camera(request: Request, person: Visitor) -> Response:
    """The fields of one camera."""
    context, name = context_of(request), request.path_params["camera"]
    camera = await asyncio.to_thread(lambda: camera_in(context, find_place(context), name))
    return answer({"name": name, "fields": shown_fields(camera), "paused": camera.paused})


@changing
async def add_camera(request: Request, person: Visitor) -> Response:
    """A new camera."""
    body = await body_of(request, needed=("name", "fields"))
    name, fields = text_field(body, "name"), object_field(body, "fields")
    outcome = await asyncio.to_thread(_add, context_of(request), name, fields)
    audit(person, f"added the camera {name}: {outcome.text}", camera=name)
    return _said(outcome, 201)


@changing
async def change_camera(request: Request, person: Visitor) -> Response:
    """Other fields of a camera."""
    name = request.path_params["camera"]
    fields = object_field(await body_of(request, needed=("fields",)), "fields")
    outcome, changed = await asyncio.to_thread(_change, context_of(request), name, fields)
    if changed:
        audit(person, f"changed {', '.join(changed)} of the camera {name}: {outcome.text}", camera=name)
    return _said(outcome)


@changing
async def remove_camera(request: Request, person: Visitor) -> Response:
    """A camera leaves the settings."""
    return await _made(request, person, "removed", lambda name: removed([name]))


@changing
async def pause_camera(request: Request, person: Visitor) -> Response:
    """A camera is not read until it is resumed."""
    return await _made(request, person, "paused", lambda name: paused([name], is_paused=True))


@changing
async def resume_camera(request: Request, person: Visitor) -> Response:
    """A paused camera is read again."""
    return await _made(request, person, "resumed", lambda name: paused([name], is_paused=False))


async def _made(request: Request, person: Visitor, what: str, change: Any) -> Response:
    context, name = context_of(request), request.path_params["camera"]

    def make() -> MadeChange:
        _settings_of(context, find_place(context), name)
        wanted: WantedChange = change(name)
        return make_change(context, wanted)

    outcome = await asyncio.to_thread(make)
    audit(person, f"{what} the camera {name}: {outcome.text}", camera=name)
    return _said(outcome)


def _listed(context: WallContext) -> dict[str, object]:
    place = find_place(context)
    checked = settings_in(place)
    settings = None if checked is None else checked.settings
    in_file = {} if settings is None else settings.cameras
    lines = [
        {**asdict(line), "paused": line.name in in_file and in_file[line.name].paused}
        for line in camera_lines(place, settings)
    ]
    return {"cameras": lines, "file": None if place.file is None else place.file.name, "runs": bool(place.running)}


def _add(context: WallContext, name: str, fields: dict[str, Any]) -> MadeChange:
    try:
        check_camera_name(name)
    except ValueError as error:
        raise Refused(400, str(error), path="name") from None
    place = find_place(context)
    known = _cameras(place)
    running = {one.name for each in place.running for one in each.status.cameras}
    if name in known or name in running:
        raise Refused(409, f"there is a camera {name} already: choose another name, or change that one", path="name")
    return make_change(context, added(name, new_fields(name, fields, allowed_folders(place.file, known))))


def _change(context: WallContext, name: str, fields: dict[str, Any]) -> tuple[MadeChange, tuple[str, ...]]:
    place = find_place(context)
    camera = _settings_of(context, place, name)
    values = changed_fields(name, fields, camera, allowed_folders(place.file, _cameras(place)))
    if not values:
        return MadeChange(("nothing is different",), is_taken=True), ()
    return make_change(context, fields_set(name, values)), tuple(values)


def _settings_of(context: WallContext, place: ChangeTarget, name: str) -> CameraSettings:
    return camera_in(context, place, name)


def _cameras(place: ChangeTarget) -> dict[str, CameraSettings]:
    checked = settings_in(place)
    return {} if checked is None or checked.settings is None else checked.settings.cameras


def _said(outcome: MadeChange, status: int = 200) -> Response:
    return answer({"saved": outcome.text, "is_taken": outcome.is_taken}, status)


ROUTES: list[BaseRoute] = [
    Route("/api/cameras", list_cameras, methods=["GET"]),
    Route("/api/cameras", add_camera, methods=["POST"]),
    Route("/api/cameras/{camera}", read_camera, methods=["GET"]),
    Route("/api/cameras/{camera}", change_camera, methods=["PATCH"]),
    Route("/api/cameras/{camera}", remove_camera, methods=["DELETE"]),
    Route("/api/cameras/{camera}/pause", pause_camera, methods=["POST"]),
    Route("/api/cameras/{camera}/resume", resume_camera, methods=["POST"]),
]
