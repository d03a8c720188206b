"""A camera for tests whose pictures have the number of their frame in them, and tracks as in a deployment."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import samples

from posebus.arrays import UInt8Array
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.codec import encode_frame
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.messages import Delivery, Track, TrackFrame

WIDTH_PX, HEIGHT_PX = 640, 480
BITS = 16
_BIT_PX = WIDTH_PX // BITS
PERSON = np.array([200, 200, 300, 460], np.float32)
"""The box of the person in all pictures; the number is drawn above the head."""


def picture_of(number: int) -> UInt8Array:
    """Return a picture (480, 640, 3) with `number` in squares along its upper edge, over a chessboard."""
    across, down = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
    image = np.where((across // 8 + down // 8) % 2, 200, 50).astype(np.uint8)
    for bit in range(BITS):
        image[:_BIT_PX, bit * _BIT_PX : (bit + 1) * _BIT_PX] = 255 if number >> bit & 1 else 0
    return np.repeat(image[:, :, None], 3, axis=2)


def number_in(jpeg: bytes) -> int:
    """Return the number that a picture, of any size, has in it."""
    image: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    middle_px = image.shape[1] / BITS / 2
    row = image[int(middle_px)]
    return sum(int(row[int((2 * bit + 1) * middle_px)] > 127) << bit for bit in range(BITS))


def jpeg_of(number: int) -> bytes:
    return bytes(cv2.imencode(".jpg", picture_of(number), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def tracks_of(number: int, camera: str, people: int = 1, epoch: int = 1) -> TrackFrame:
    """Return the tracks of the frame `number`, of people at one place."""
    tracks = tuple(
        Track(id=one + 1, box_xyxy_px=PERSON, score=float(number % 100) / 100, keypoints_px=None, state="confirmed",
              age_s=1.0) for one in range(people)
    )  # fmt: skip
    return TrackFrame(camera, epoch, number, number * 40_000_000, (WIDTH_PX, HEIGHT_PX), tracks)


class NumberedCamera:
    """Publishes frames, which are deleted as workers do, and then their tracks."""

    def __init__(self, url: str, name: str = "door", people: int = 1, **record: Any) -> None:
        self.broker = open_broker(url)
        self.name = name
        self.people = people
        self.number = 0
        Registry(self.broker).add_camera(CameraRecord(name, Delivery.LIVE, "test", **record))

    def step(self, *, picture: bool = True, data: bytes | None = None) -> None:
        """Publish the next frame; without `picture`, as one that was not inferred. data: instead of its JPEG file."""
        self.number += 1
        client, topology = self.broker.client, self.broker.topology
        if picture:
            frame = samples.frame(self.number, self.name, data=jpeg_of(self.number) if data is None else data)
            entry = client.xadd(topology.frames(self.name), cast("Any", encode_frame(frame, 1)))
            client.xdel(topology.frames(self.name), cast("Any", entry))
        tracks = tracks_of(self.number, self.name, self.people)
        content = dump(track_frame_to_json(tracks, samples.PROVENANCE, 1))
        client.xadd(topology.tracks(self.name), {"data": content})
