"""The timeline: events from the newest backwards, and the picture of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from posebus.bus.evidence.snapshots import read_snapshot
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.cameras.privacy import NO_PRIVACY
from posebus.config.settings import check_camera_name
from posebus.contract.evidence import FrameReference, frame_of_event_id, read_dataref
from posebus.contract.foreign_json import whole
from posebus.contract.public_json import event_to_json
from posebus.messages import CaptureClock, Delivery, Event, Frame
from posebus.privacy.regions import frame_regions
from posebus.subscribing.event_pages import events_before
from posebus.subscribing.evidence import snapshot_path
from posebus.subscribing.lookup import find_event
from posebus.subscribing.moment import EventMoment, find_moment
from wall.access.people import Right
from wall.context import WallContext
from wall.live.reducing import picture_without_heads
from wall.views.answers import NotThere, answered

DEFAULT_COUNT, MOST_EVENTS = 50, 200
NO_PICTURE = (
    "there is no picture of this event any more: pictures of the last seconds and snapshots of events of rules are "
    "kept where the camera keeps evidence"
)


async def events(request: Request) -> Response:
    """Answer `/api/events?camera=&before=&count=`."""
    asked = request.query_params
    camera, before = asked.get("camera") or None, asked.get("before") or None

    def answer(context: WallContext, broker: Broker) -> dict[str, Any]:
        count = whole(asked.get("count") or str(DEFAULT_COUNT), 1, MOST_EVENTS)
        page = events_before(broker, before, count, None if camera is None else check_camera_name(camera))
        return {"events": [event_to_json(one) for one in page.events], "before": page.before}

    return await answered(request, Right.POSES, answer, JSONResponse)


async def event_picture(request: Request) -> Response:
    """Answer `/api/events/{id}/picture`."""
    event_id = request.path_params["id"]

    def answer(context: WallContext, broker: Broker) -> bytes:
        frame = frame_of_event_id(event_id)
        found = find_event(broker, frame.camera, event_id)
        entry_id, event = (None, None) if found is None else found
        wanted = _frame_of(event) or frame
        return _snapshot(context, broker, wanted) or _from_ring(broker, wanted, event, entry_id)

    return await answered(request, Right.PICTURES, answer, _jpeg)


def _jpeg(data: bytes) -> Response:
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


def _frame_of(event: Event | None) -> FrameReference | None:
    """The frame of which the event has a snapshot; None without evidence."""
    if event is None or event.dataref is None:
        return None
    try:
        found = read_dataref(event.dataref)
    except ValueError:
        return None
    return found if found.camera == event.camera else None


def _snapshot(context: WallContext, broker: Broker, frame: FrameReference) -> bytes | None:
    folder = context.settings.evidence.folder
    if folder is None:
        return read_snapshot(broker, frame.camera, frame[1:])
    try:
        return snapshot_path(Path(folder).expanduser(), frame).read_bytes()
    except OSError:
        return None


def _from_ring(broker: Broker, frame: FrameReference, event: Event | None, entry_id: str | None) -> bytes:
    """Return the nearest picture that the camera still has, heads blurred. Raises NotThere."""
    captured_at_ns = None if event is None else event.time_ns
    moment = find_moment(broker, frame, captured_at_ns, entry_id)
    record = Registry(broker).camera(frame.camera)
    if not isinstance(moment, EventMoment):
        raise NotThere(NO_PICTURE)
    # People who were missed in this very frame are covered where they were in those around it.
    heads = np.concatenate([frame_regions(one) for one in (moment.tracks, *moment.around)])
    if record is not None and record.privacy == NO_PRIVACY:
        heads = heads[:0]
    small = picture_without_heads(_as_frame(moment, frame.camera), heads)
    if small is None:
        raise NotThere("the picture of this event cannot be decoded")
    return small


def _as_frame(moment: EventMoment, camera: str) -> Frame:
    picture = moment.picture
    return Frame(
        camera,
        picture.epoch,
        picture.seq,
        picture.captured_at_ns,
        clock=CaptureClock.ARRIVAL,
        delivery=Delivery.LIVE,
        size_px=picture.size_px,
        image_size_px=picture.image_size_px,
        encoding="jpeg",
        data=picture.jpeg,
    )
