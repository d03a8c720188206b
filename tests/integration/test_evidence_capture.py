"""The ring of pictures behind a real source and before a real broker: each picture is that of its frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.process import build_capture
from posebus.bus.evidence.ring import RingPicture, pictures_of_epoch
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings
from posebus.contract.codec import decode_frame
from posebus.messages import Frame
from posebus.runtime.embedded import EmbeddedBroker
from tests.integration.made_videos import LEVELS, make_video, number_of
from tests.polling import wait_until

FRAMES = 60


@pytest.fixture
def broker() -> Iterator[Broker]:
    with EmbeddedBroker() as url:
        yield open_broker(url)


def captured(broker: Broker, folder: Path, **values: Any) -> dict[int, Any]:
    """Capture a video to its end; returns the pictures that were published, by the number of their frame."""
    video = make_video(folder / "numbered.mp4", FRAMES)
    settings = CameraSettings.model_validate({"source": str(video), **values})
    stage = build_capture("door", settings, broker, events_kept=100)
    while stage.step(time.monotonic()):
        pass
    stage.close()
    entries: Any = broker.client.xrange(broker.topology.frames("door"))
    frames = [frame for _, fields in entries if isinstance(frame := decode_frame(fields), Frame)]
    assert len(frames) == FRAMES
    return {frame.seq: image(frame.data) for frame in frames}


def kept_pictures(broker: Broker) -> list[RingPicture]:
    """The pictures in the ring; a thread may still be writing the last ones."""
    epoch = int(broker.client.get(broker.topology.epoch("door")) or 0)
    wait_until(lambda: len(list(pictures_of_epoch(broker, "door", epoch))) >= 5, "pictures in the ring")
    return list(pictures_of_epoch(broker, "door", epoch))


def image(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("max_size_px", [640, 64])
def test_each_picture_is_that_of_the_frame_with_its_number(broker: Broker, tmp_path: Path, max_size_px: int) -> None:
    frames = captured(broker, tmp_path, evidence={"mode": "on", "max_size_px": max_size_px, "max_fps": 10})
    kept = kept_pictures(broker)
    # The broker may have been slower than a recording that is read as fast as possible.
    assert len(kept) <= FRAMES * 10 / 25 + 2
    for one in kept:
        shown = image(one.jpeg)
        assert number_of(shown) == number_of(frames[one.seq]) == one.seq % LEVELS
        assert (max(shown.shape[:2]), one.size_px) == (min(160, max_size_px), (160, 120))
    assert Registry(broker).cameras()[0].evidence


def test_privacy_zones_are_black_in_kept_pictures(broker: Broker, tmp_path: Path) -> None:
    zones = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    captured(broker, tmp_path, evidence="on", privacy_zones=zones)
    for one in (image(picture.jpeg) for picture in kept_pictures(broker)):
        assert one[:, :72].max() < 12
        assert one[:, 90:].min() > 10


@pytest.mark.parametrize("evidence", ["off", "auto"])
def test_without_evidence_the_broker_has_nothing_more(broker: Broker, tmp_path: Path, evidence: str) -> None:
    rules = {"gate": {"kind": "line", "points": [[0, 60], [159, 60]]}}
    captured(broker, tmp_path, evidence=evidence, rules=rules)  # a recording: auto is off
    keys = {key.decode().split(":")[2] for key in broker.client.keys("*")}
    assert not {"evidence", "snapshot", "snapshots"} & keys
    assert {"frames", "cameras"} <= keys
    assert not Registry(broker).cameras()[0].evidence
