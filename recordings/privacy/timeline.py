"""Heads in every picture of a recording, also in those in which a person was missed for a moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float32Array, Float64Array, UInt8Array
from posebus.messages import Track, TrackFrame
from posebus.privacy.blurring import blur_heads
from posebus.privacy.regions import BRIDGE_NS, is_predicted, track_regions

_NONE: Float32Array = np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One track in one frame: the regions (M, 4) of its head and the centre (2,) of its box, as parts of the picture.

    `detected`: it was seen in this frame, not predicted.
    """

    at_ns: int
    regions: Float64Array
    centre: Float64Array
    detected: bool


class HeadTimeline:
    """Answers where heads are at a time, from the frames of a recording, which it reads half a second ahead.

    A person who was not detected at that time is covered where they were detected last, and where they are detected
    next, and between. Where only one of both is known, it is moved on as the person was moving.
    """

    def __init__(self, frames: Iterable[TrackFrame]) -> None:
        """`frames`: those of NAME.tracks.jsonl, in the order of their capture times."""
        self._frames: Iterator[TrackFrame] = iter(frames)
        self._next = next(self._frames, None)
        self._window: deque[tuple[int, dict[int, _Seen]]] = deque()

    def at(self, captured_at_ns: int, size_px: tuple[int, int]) -> Float32Array:
        """Return the regions (M, 4) of all heads in a picture, in its pixels; `size_px` is its (width, height).

        Times must not decrease from call to call. A picture without a frame of its own is covered by those around it.
        """
        self._advance(captured_at_ns)
        now: dict[int, _Seen] = {}
        around: dict[int, list[_Seen]] = {}
        for at_ns, tracks in self._window:
            if at_ns == captured_at_ns:
                now = tracks
            for number, seen in tracks.items():
                if seen.detected:
                    around.setdefault(number, []).append(seen)
        regions = [seen.regions for seen in now.values()]
        for number, found in around.items():
            if number not in now or not now[number].detected:
                regions.append(_bridge(found, captured_at_ns)[None])
        if not regions:
            return _NONE
        return np.asarray(np.concatenate(regions) * np.array([*size_px, *size_px]), np.float32)

    def hide(self, image_bgr: UInt8Array, captured_at_ns: int) -> None:
        """Blur all heads in the picture (H, W, 3) of this time, which is changed; see `at`."""
        blur_heads(image_bgr, self.at(captured_at_ns, (image_bgr.shape[1], image_bgr.shape[0])))

    def _advance(self, captured_at_ns: int) -> None:
        while self._next is not None and self._next.captured_at_ns <= captured_at_ns + BRIDGE_NS:
            frame, self._next = self._next, next(self._frames, None)
            self._window.append((frame.captured_at_ns, {track.id: _seen(track, frame) for track in frame.tracks}))
        while self._window and self._window[0][0] < captured_at_ns - BRIDGE_NS:
            self._window.popleft()


def _seen(track: Track, frame: TrackFrame) -> _Seen:
    size = np.array(frame.size_px, np.float64)
    regions = track_regions(track) / np.tile(size, 2)
    box = track.box_xyxy_px.astype(np.float64) / np.tile(size, 2)
    detected = not is_predicted(track) and len(regions) > 0
    return _Seen(frame.captured_at_ns, regions, (box[:2] + box[2:]) / 2, detected)


def _bridge(found: list[_Seen], at_ns: int) -> Float64Array:
    """Return the region (4,) of a person who is not detected at `at_ns`, from the frames around, in order of time."""
    before = [seen for seen in found if seen.at_ns < at_ns]
    after = [seen for seen in found if seen.at_ns > at_ns]
    places = [seen.regions for seen in (*before[-1:], *after[:1])]
    if not (before and after):
        nearest, farthest = (before[-1], before[0]) if before else (after[0], after[-1])
        if nearest.at_ns != farthest.at_ns:
            per_ns = (nearest.centre - farthest.centre) / (nearest.at_ns - farthest.at_ns)
            places.append(nearest.regions + np.tile(per_ns * (at_ns - nearest.at_ns), 2))
    corners = np.concatenate(places)
    return np.concatenate([corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)])
