"""A wall that changes a configuration file, for tests with a browser: its deployment is a small one in a thread."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import samples
import simplejpeg
from small_deployment import SmallDeployment, running

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.rules.reading import rules_to_json
from posebus.config.settings import Settings
from posebus.contract.codec import encode_frame
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.messages import Delivery, TrackFrame
from posebus.reloading.followed import Update
from posebus.runtime.python_child import python_command
from tests.repeating import repeated
from tests.wall.serving import served
from wall.app import application
from wall.context import WallContext

FILE = """\
# my cameras
cameras:
  hall:   # at the front
    source: rtsp://me:secret@192.0.2.1/live
    rules:
      # measured in May
      gate: {kind: line, points: [[100, 600], [600, 600]]}   # the yard
  yard: {source: "usb:0", paused: true}   # broken
"""


@dataclass(frozen=True, slots=True)
class EditedWall:
    """url: of its page. file: the configuration. small: the deployment that follows it."""

    url: str
    file: Path
    small: SmallDeployment


@contextmanager
def edited_wall(redis: str, folder: Path) -> Iterator[EditedWall]:
    """Serve a wall with FILE, whose deployment runs; its sockets must be in `folder` by the environment."""
    file = folder / "posebus.yaml"
    file.write_text(FILE)
    with running(file, folder) as small:
        _announce(small, redis)
        context = WallContext(Settings(redis=redis), file, test_picture_command=_child())
        with served(application(context)) as address:
            yield EditedWall(f"{address}/", file, small)


def _announce(small: SmallDeployment, redis: str) -> None:
    """Let the broker know the rules of all cameras, as ingest does after each change."""
    registry, before = Registry(open_broker(redis)), small.updated

    def announce() -> None:
        for name, camera in small.settings.cameras.items():
            rules = rules_to_json(camera.rules)
            registry.add_camera(CameraRecord(name, Delivery.LIVE, "network", rules=rules, ground=camera.ground))

    def updated(update: Update) -> None:
        before(update)
        announce()

    small.updated = updated
    announce()


def _child() -> tuple[str, ...]:
    """Takes a green picture of any address but those that hold `bad`."""
    code = (
        "import json, sys, numpy, simplejpeg\n"
        "source = json.load(sys.stdin)['cameras']['camera']['source']\n"
        "'bad' in source and sys.exit('no answer from ' + source)\n"
        "picture = numpy.full((90, 160, 3), (40, 160, 90), numpy.uint8)\n"
        "sys.stdout.buffer.write(simplejpeg.encode_jpeg(picture))"
    )
    return tuple(python_command("-c", code))


@contextmanager
def sending(redis: str, camera: str, size_px: tuple[int, int]) -> Iterator[None]:
    """The camera sends green pictures in which nobody is, with their tracks, as behind a worker."""
    broker = open_broker(redis)
    image = np.full((size_px[1], size_px[0], 3), (40, 160, 90), np.uint8)
    jpeg = bytes(simplejpeg.encode_jpeg(image))
    numbers = itertools.count(1)

    def send() -> None:
        number = next(numbers)
        frame = samples.frame(number, camera, data=jpeg)
        broker.client.xadd(broker.topology.frames(camera), cast("Any", encode_frame(frame, 1)), maxlen=9)
        tracks = TrackFrame(camera, frame.epoch, number, number * 50_000_000, size_px, ())
        content = dump(track_frame_to_json(tracks, samples.PROVENANCE, 1))
        broker.client.xadd(broker.topology.tracks(camera), {"data": content}, maxlen=99)

    with repeated(send, 0.05):
        yield
