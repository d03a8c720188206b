"""The picture of a moment: heads blurred, then zones and lines of rules, skeletons and numbers drawn. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import cv2
import numpy as np

from evidence.moment import EventMoment
from posebus.bus.evidence.ring import RingPicture
from posebus.errors import BadPicture
from posebus.messages import TrackFrame
from posebus.square_pixels import MAX_PICTURE_PIXELS
from recordings.privacy.timeline import HeadTimeline
from recordings.results.draw import Color, Image, draw_tracks

QUALITY = 85
MAX_POINTS = 100
SHOWN_PX = 60_000
HIGHLIGHT: Color = (60, 170, 255)
QUIET: Color = (190, 190, 190)
INK: Color = (24, 20, 18)
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
    for name, rule in sorted(rules.items(), key=lambda item: item[0] in of_event):
        _draw_rule(image_bgr, name, rule, tracks.size_px, stands_out=name in of_event)
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


def _draw_rule(image: Image, name: str, rule: Any, size_px: tuple[int, int], *, stands_out: bool) -> None:
    points_px = _points_px(rule, size_px, (image.shape[1], image.shape[0]))
    if points_px is None:
        return
    color, width_px = (HIGHLIGHT, 2) if stands_out else (QUIET, 1)
    closed = len(points_px) > 2
    cv2.polylines(image, [points_px], closed, INK, width_px + 2, cv2.LINE_AA)
    cv2.polylines(image, [points_px], closed, color, width_px, cv2.LINE_AA)
    if stands_out:
        where = int(max(2, points_px[:, 0].min() + 4)), int(max(14, points_px[:, 1].min() - 5))
        cv2.putText(image, name, where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 3, cv2.LINE_AA)
        cv2.putText(image, name, where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)


def _points_px(rule: Any, size_px: tuple[int, int], image_px: tuple[int, int]) -> Any:
    """Return the points of a rule in the picture, (N, 2) int32; None for a rule without any that can be drawn."""
    points = rule.get("points") if isinstance(rule, Mapping) else None
    if not isinstance(points, list | tuple) or not 2 <= len(points) <= MAX_POINTS:
        return None
    try:
        source = np.array(points, np.float64)
    except (ValueError, TypeError):
        return None
    if source.shape != (len(points), 2) or not np.isfinite(source).all() or np.abs(source).max() > SHOWN_PX:
        return None
    sides = (1.0, 1.0) if source.max() <= 1 else size_px
    return np.round(source * np.array(image_px) / np.array(sides)).astype(np.int32)
