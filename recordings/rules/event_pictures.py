"""A picture of each event of rules over a recording: the very frame, with its people and the zone or line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import tee
from pathlib import Path
from typing import Any

import cv2

from posebus.config.cameras.privacy import HEADS
from posebus.config.rules.reading import rules_to_json
from posebus.config.settings import CameraSettings
from posebus.messages import Event
from recordings.privacy.timeline import HeadTimeline
from recordings.progress import Progress
from recordings.results.files import make_folder, write_at_once
from recordings.results.rule_shapes import draw_rules
from recordings.results.video import Style
from recordings.rules.replay import saved_frames

QUALITY_JPEG = 90
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def picture_events(
    source: CameraSettings, tracks: Path, events: Sequence[Event], folder: Path, progress: Progress
) -> dict[str, Path]:
    """Write a picture of each event into `folder`; returns the paths by the ids of the events.

    `source` is the recording that `tracks` were made from, with the camera's rules. Heads are blurred unless its
    `privacy` is none. Raises OutputError and the errors of reading the source.
    """
    from ingest.sources import open_source

    make_folder(folder)
    wanted: dict[int, list[Event]] = {}
    for event in events:
        wanted.setdefault(event.time_ns, []).append(event)
    frames, ahead = tee(saved_frames(tracks))
    heads = HeadTimeline(ahead) if source.privacy == HEADS else None
    rules = rules_to_json(source.rules)
    style = Style(privacy=source.privacy)
    written: dict[str, Path] = {}
    opened = open_source(source)
    try:
        frame = next(frames, None)
        while wanted and (picture := opened.read(lambda captured_at_ns: captured_at_ns in wanted)) is not None:
            while frame is not None and frame.captured_at_ns < picture.captured_at_ns:
                frame = next(frames, None)
            image_bgr = picture.image_bgr.copy()
            if heads is not None:
                heads.hide(image_bgr, picture.captured_at_ns)
            if frame is not None and frame.captured_at_ns == picture.captured_at_ns:
                image_bgr = style.apply(image_bgr, frame)
            for event in wanted.pop(picture.captured_at_ns, ()):
                shown = image_bgr.copy()
                draw_rules(shown, rules, picture.image.size_px, (str(event.data["rule"]),))
                path = folder / _file_name(event)
                write_at_once(path, cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY_JPEG])[1].tobytes())
                written[event.id] = path
            progress.update("pictures of events", len(written), len(events), 0.0)
    finally:
        opened.close()
        progress.finish("pictures of events")
    return written


def _file_name(event: Event) -> str:
    data: Mapping[str, Any] = event.data
    parts = [f"{event.seq:06d}", event.type.removeprefix("posebus."), data["rule"], data.get("track_id")]
    return _UNSAFE.sub("-", "-".join(str(part) for part in parts if part is not None)) + ".jpg"
