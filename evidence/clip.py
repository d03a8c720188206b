"""A clip of an event: the pictures of the ring around it as a video, with people drawn and heads blurred."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from evidence.drawing import decoded, draw_frame
from posebus.bus.evidence.ring import RingPicture, pictures_of_epoch
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.cameras.privacy import NO_PRIVACY
from posebus.contract.evidence import FrameReference
from posebus.errors import SourceUnavailable
from posebus.privacy.regions import BRIDGE_NS
from posebus.subscribing.moment import frames_since
from recordings.privacy.timeline import HeadTimeline
from recordings.results.video import Mp4Writer


class Clip(NamedTuple):
    """What a clip shows: how many pictures, from how long before the frame to how long after it, in seconds.

    left_out: pictures without tracks, of which it is not known where heads are.
    """

    pictures: int
    from_s: float
    to_s: float
    left_out: int


def write_clip(
    broker: Broker, frame: FrameReference, path: Path, *, seconds: float, of_event: Collection[str] = ()
) -> Clip:
    """Write the pictures from `seconds` before a frame to `seconds` after it, as far as they are in the ring, as MP4.

    of_event: names of the rules that stand out. Raises SourceUnavailable if there is none (any more), OutputError,
    BadPicture and the broker's errors.
    """
    pictures = {one.seq: one for one in pictures_of_epoch(broker, frame.camera, frame.epoch)}
    if not pictures:
        raise _gone(frame)
    first_ns = min(one.captured_at_ns for one in pictures.values())
    frames = frames_since(broker, frame.camera, frame.epoch, first_ns - BRIDGE_NS)
    at_ns = next((one.captured_at_ns for one in frames if one.seq == frame.seq), None)
    if at_ns is None:
        raise _gone(frame)
    near = [one for one in frames if abs(one.captured_at_ns - at_ns) <= seconds * 1e9 and one.seq in pictures]
    if not near:
        raise _gone(frame)
    record = Registry(broker).camera(frame.camera)
    heads = HeadTimeline(frames) if record is None or record.privacy != NO_PRIVACY else None
    with Mp4Writer(path, _fps([pictures[one.seq] for one in near])) as video:
        for tracks in near:
            image_bgr = decoded(pictures[tracks.seq])
            rules = {} if record is None else record.rules
            video.add(draw_frame(image_bgr, tracks, heads, rules, of_event), tracks.captured_at_ns)
        video.complete()
    known = {one.seq for one in frames}
    left_out = sum(
        seq not in known and abs(one.captured_at_ns - at_ns) <= seconds * 1e9 for seq, one in pictures.items()
    )
    from_s, to_s = ((one.captured_at_ns - at_ns) / 1e9 for one in (near[0], near[-1]))
    return Clip(len(near), from_s, to_s, left_out)


def _fps(pictures: list[RingPicture]) -> float | None:
    span_s = (pictures[-1].captured_at_ns - pictures[0].captured_at_ns) / 1e9
    return max(1.0, round((len(pictures) - 1) / span_s, 2)) if span_s > 0 else None


def _gone(frame: FrameReference) -> SourceUnavailable:
    return SourceUnavailable(
        f"the pictures around frame {frame.seq} of camera {frame.camera} are not in the ring (any more): a clip has to "
        "be asked for within 'evidence.seconds' of the camera"
    )
