"""Cameras without a pipeline: pictures, which are deleted as workers do, and tracks a moment later, at a given rate.

    python -m benchmarks.wall.cameras REDIS CAMERAS FPS FILE

Each line of FILE is when tracks were due (monotonic, s) and how much later the broker had them (s). Ends when killed.
"""

from __future__ import annotations

import heapq
import sys
import time
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.codec import encode_frame
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.messages import CaptureClock, Delivery, Frame, Provenance, Track, TrackFrame

SIZE_PX = (640, 480)
PEOPLE = 3
PIPELINE_S = 0.06
"""From a picture to its tracks."""
ACROSS_PX = np.array([45, 49, 41, 54, 36, 65, 25, 72, 18, 74, 16, 58, 32, 58, 32, 58, 32])
DOWN_PX = np.array([22, 17, 17, 20, 20, 50, 50, 90, 90, 125, 125, 130, 130, 185, 185, 240, 240])
"""A person who stands and looks into the camera, from the upper left corner of the box."""
PROVENANCE = Provenance(CaptureClock.ARRIVAL, Delivery.LIVE, frame_published_at_ns=1)


def main() -> None:
    """Publish until the process is killed."""
    url, cameras, fps, path = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    broker, pictures = open_broker(url), [_picture(seed) for seed in range(4)]
    client, topology = broker.client, broker.topology
    names = [f"camera-{number:02}" for number in range(cameras)]
    for name in names:
        Registry(broker).add_camera(CameraRecord(name, Delivery.LIVE, "benchmark"))
    start_s = time.monotonic() + 0.5
    due = [(start_s + index / fps / cameras, 0, name, b"") for index, name in enumerate(names)]
    heapq.heapify(due)
    with path.open("w", buffering=1) as log:
        while True:
            due_s, seq, name, entry = heapq.heappop(due)
            time.sleep(max(0.0, due_s - time.monotonic()))
            if entry:
                client.xdel(topology.frames(name), cast(Any, entry))
                client.xadd(topology.tracks(name), {"data": _tracks(name, seq)}, maxlen=100, approximate=True)
                log.write(f"{due_s} {time.monotonic() - due_s}\n")
                continue
            entry_id: Any = client.xadd(topology.frames(name), cast(Any, _frame(name, seq, pictures)))
            heapq.heappush(due, (due_s + PIPELINE_S, seq, name, entry_id))
            heapq.heappush(due, (due_s + 1 / fps, seq + 1, name, b""))


def _picture(seed: int) -> bytes:
    """A JPEG of about 60 kB: as much detail as a street has."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    image = cv2.addWeighted(cv2.GaussianBlur(noise, (0, 0), 2), 3.0, cv2.GaussianBlur(noise, (0, 0), 20), -2.0, 0)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


def _frame(name: str, seq: int, pictures: list[bytes]) -> dict[Any, Any]:
    frame = Frame(
        name, 1, seq, time.time_ns(), clock=CaptureClock.ARRIVAL, delivery=Delivery.LIVE, size_px=SIZE_PX,
        image_size_px=SIZE_PX, encoding="jpeg", data=pictures[seq % len(pictures)],
    )  # fmt: skip
    return dict(encode_frame(frame, time.time_ns()))


def _tracks(name: str, seq: int) -> str:
    tracks = []
    for number in range(PEOPLE):
        left = 60.0 + 180 * number + seq % 40
        keypoints = np.column_stack([left + ACROSS_PX, 150 + DOWN_PX, np.full(17, 0.9)])
        box = np.array((left, 150, left + 90, 400), np.float32)
        tracks.append(Track(number, box, 0.9, keypoints.astype(np.float32), "confirmed", 1.0))
    frame = TrackFrame(name, 1, seq, time.time_ns(), SIZE_PX, tuple(tracks))
    return dump(track_frame_to_json(frame, PROVENANCE, time.time_ns()))


if __name__ == "__main__":
    main()
