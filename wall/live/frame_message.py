"""A frame as the binary message of a page: the length of its header, the header as JSON, and a JPEG file. Pure."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from posebus.messages import Track, TrackFrame
from posebus.subscribing.live_frames import LiveFrame
from wall.live.reducing import SmallPicture, small_picture


def tracks_json(tracks: TrackFrame) -> str:
    """Return what all headers of the frame share, as the beginning of a JSON object without its closing brace."""
    shared = {
        "type": "frame",
        "camera": tracks.camera,
        "epoch": tracks.epoch,
        "seq": tracks.seq,
        "captured_at_ms": tracks.captured_at_ns // 1_000_000,
        "size": list(tracks.size_px),
        "tracks": [_track(track) for track in tracks.tracks],
    }
    return json.dumps(shared, separators=(",", ":"))[:-1]


def without_picture(beginning: str) -> bytes:
    """Return the message of a frame of which only skeletons are shown; `beginning` is of `tracks_json`."""
    return _message(beginning, None)


def with_picture(frame: LiveFrame, beginning: str, factor: int, *, blur: bool) -> bytes:
    """Return the message of a frame with its picture, or without one that cannot be decoded; see `small_picture`."""
    picture = frame.picture
    small = None if picture is None else small_picture(picture, frame.tracks, factor, blur=blur)
    return _message(beginning, small)


def _message(beginning: str, picture: SmallPicture | None) -> bytes:
    size = "null" if picture is None else f"[{picture.size_px[0]},{picture.size_px[1]}]"
    blurred = "true" if picture is not None and picture.blurred else "false"
    header = f'{beginning},"picture":{size},"blurred":{blurred}}}'.encode()
    return b"".join([len(header).to_bytes(4, "little"), header, b"" if picture is None else picture.jpeg])


def _track(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "state": str(track.state),
        "box": _rounded(track.box_xyxy_px, 1),
        "keypoints": None if track.keypoints_px is None else _rounded(track.keypoints_px, 2),
        "action": track.action,
        "floor": None if track.position_m is None else [round(one, 3) for one in track.position_m],
    }


def _rounded(values: Any, decimals: int) -> Any:
    # As float64, because a rounded float32 would print as 12.3400001…
    return np.round(values.astype(np.float64), decimals).tolist()
