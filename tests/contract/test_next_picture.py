"""A picture with the tracks of the same frame, while workers delete pictures as soon as they have committed poses."""

from __future__ import annotations

import threading
from typing import Any, cast

import samples

from posebus.bus.redis.connection import open_broker
from posebus.contract.codec import encode_frame
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.subscribing.pictures import PictureWithTracks, next_picture
from posebus.topology import Topology
from tests.contract.conftest import client_of
from tests.polling import wait_until

TOPOLOGY = Topology()


class Camera:
    """Publishes a frame and deletes it; then come the tracks of an earlier frame, and its own."""

    def __init__(self, url: str) -> None:
        self._client = client_of(url)
        self.seq = 0

    def step(self) -> None:
        frames, tracks = TOPOLOGY.frames("door"), TOPOLOGY.tracks("door")
        self.seq += 1
        frame = samples.frame(self.seq, data=b"picture %d" % self.seq, encoding="jpeg")
        entry = self._client.xadd(frames, cast(Any, encode_frame(frame, 1)))
        self._client.xdel(frames, cast(Any, entry))
        self._client.xadd(frames, {"kind": "of another version"})
        for seq in (self.seq - 1, self.seq):
            data = track_frame_to_json(samples.track_frame(seq), samples.PROVENANCE, 1)
            self._client.xadd(tracks, {"data": dump(data)})


def test_picture_and_tracks_are_of_one_frame(real_url: str) -> None:
    camera = Camera(real_url)
    camera.step()  # before anyone reads: not the next picture
    found: list[PictureWithTracks | None] = []
    reader = threading.Thread(target=lambda: found.append(next_picture(open_broker(real_url), "door", 60.0)))
    reader.start()
    wait_until(lambda: not reader.is_alive(), "a picture", meanwhile=camera.step)
    (one,) = found
    assert one is not None
    assert one.frame.seq > 1
    assert (one.tracks.camera, one.tracks.epoch, one.tracks.seq) == ("door", one.frame.epoch, one.frame.seq)
    assert one.frame.data == b"picture %d" % one.frame.seq
    assert [track.id for track in one.tracks.tracks] == [1, 2]


def test_camera_without_pictures_gives_none_in_time(real_url: str) -> None:
    client_of(real_url).xadd(TOPOLOGY.tracks("door"), {"data": "no JSON"})
    assert next_picture(open_broker(real_url), "door", 0.1) is None
