"""The picture of a moment: heads blurred, then zones and lines of rules, skeletons and numbers drawn. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import cv2
import numpy as np

from posebus.bus.evidence.ring import RingPicture
from posebus.errors import BadPicture
from posebus.messages import TrackFrame
from posebus.square_pixels import MAX_PICTURE_PIXELS
from posebus.subscribing.moment import EventMoment
from recordings.privacy.timeline import HeadTimeline
from recordings.results.draw import Image, draw_tracks
from recordings.results.rule_shapes import draw_rules

QUALITY = 85
MAX_COMMENT = 60_000


def draw_moment(
    moment: EventMoment, rules: Mapping[str, Any], of_event: Collection[str] = (), *, blur: bool = True
) -> Image:
    """Return the picture (H, W, 3) of a moment, BGR, with heads blurred unless `blur` is off, and people drawn.

    rules: fields of the camera's rules by name, of which those that are zones or lines are drawn; of_event: names of
    the rules that stand out. Raises BadPicture if the picture cannot be decoded.
    """
    heads = HeadTimeline(moment.around) if blur else None
    return draw_frame(decoded(moment.picture), moment.tracks, heads, rules, of_event)


def draw_frame(
    image_bgr: Image,
    tracks: TrackFrame,
    heads: HeadTimeline | None,
    rules: Mapping[str, Any],
    of_event: Collection[str] = (),
) -> Image:
    """Draw the tracks of its frame, and rules, into a picture (H, W, 3), and return it. heads: those to blur before."""
    if heads is not None:
        heads.hide(image_bgr, tracks.captured_at_ns)
    draw_rules(image_bgr, rules, tracks.size_px, of_event)
    draw_tracks(image_bgr, tracks)
    return image_bgr


def as_jpeg(image_bgr: Image, moment: EventMoment) -> bytes:
    """Return a JPEG file whose comment says, as JSON, which frame it shows."""
    jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    frame = moment.tracks
    names = {"camera": frame.camera, "epoch": frame.epoch, "seq": frame.seq, "captured_at_ns": frame.captured_at_ns}
    comment = json.dumps(names).encode()[:MAX_COMMENT]
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def decoded(picture: RingPicture) -> Image:
    """Return the picture as it was kept, (H, W, 3) BGR. Raises BadPicture."""
    width_px, height_px = picture.image_size_px
    if width_px * height_px > MAX_PICTURE_PIXELS:
        raise BadPicture(f"a picture for evidence of {width_px}x{height_px} is too large")
    image_bgr: Any = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image_bgr is None or image_bgr.shape[1::-1] != (width_px, height_px):
        raise BadPicture("a picture for evidence cannot be decoded")
    return np.asarray(image_bgr, np.uint8)
