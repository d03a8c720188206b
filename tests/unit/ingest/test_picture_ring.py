"""Pictures for snapshots of events: which are kept, in what size, and that nothing waits for the broker."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.publishing.encoding import encode
from ingest.publishing.picture_ring import MOST_WAITING, PictureRing
from ingest.sources import CapturedImage
from ingest.sources.decoding.pixels import RowsImage
from posebus.bus.evidence.ring import RingPicture
from posebus.config.settings import CameraSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import CaptureClock, Delivery, Frame, Uninferred
from posebus.telemetry.metrics import Metrics
from tests.faults.numbered_pictures import draw, read_number
from tests.polling import wait_until

SLOTS = [0, *range(3, 100, 5)]
"""The pictures of 100 frames at 25 a second, of which 5 a second are kept: the second one may come early."""


class MemoryRing:
    """A ring in memory, which can refuse, or keep its writer waiting."""

    def __init__(self) -> None:
        self.pictures: list[RingPicture] = []
        self.cleared = 0
        self.fails = False
        self.open = threading.Event()
        self.open.set()

    def add(self, picture: RingPicture) -> bool:
        self.open.wait(60)
        if self.fails:
            raise BrokerUnavailable("the broker is away")
        self.pictures.append(picture)
        return True

    def clear(self) -> None:
        self.cleared += 1


class Camera:
    """Frames of a camera at some rate, whose pictures show their own numbers."""

    def __init__(self, evidence: Any = "on", size_px: tuple[int, int] = (1280, 720), **values: Any) -> None:
        self.settings = CameraSettings.model_validate({"source": "usb:0", "evidence": evidence, **values})
        self.store, self.metrics, self.size_px = MemoryRing(), Metrics(), size_px
        self.opened: list[float] = []
        self.ring = PictureRing("door", self.settings, self._open, self.metrics, live=True)

    def _open(self, wanted: Any) -> MemoryRing:
        self.opened.append(wanted.seconds)
        return self.store

    def frames(self, numbers: range, fps: float = 25.0, inferred: bool = True, reduced_px: int | None = None) -> None:
        for number in numbers:
            picture = CapturedImage(
                RowsImage(draw(number, self.size_px)), round(number * 1e9 / fps), CaptureClock.ARRIVAL
            )
            common = (CaptureClock.ARRIVAL, Delivery.LIVE, self.size_px)
            if inferred:
                encoded = encode(picture.image, self.settings, reduced_px)
                pixels = encoded.image_size_px, encoded.encoding, encoded.data
                frame: Frame | Uninferred = Frame("door", 7, number, picture.captured_at_ns, *common, *pixels)
            else:
                frame = Uninferred("door", 7, number, picture.captured_at_ns, *common, "still")
            self.ring.offer(picture, frame)
            if self.store.open.is_set():
                wait_until(lambda: self.ring._sender._waiting.empty(), "an idle sender")

    def seqs(self) -> list[int]:
        """The frames whose pictures were kept, once all that was sent is written."""
        sender, before = self.ring._sender, len(self.opened)
        if sender._thread is not None:
            sender.use(self.settings.evidence)  # what comes after all pictures
            wait_until(lambda: len(self.opened) > before, "all pictures")
            self.opened.pop()
        return [one.seq for one in self.store.pictures]

    def counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self.metrics.snapshot().get("posebus_evidence_pictures_total", [])}


def decoded(picture: RingPicture) -> Any:
    return cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_pictures_are_of_their_frames_reduced_and_at_most_five_a_second() -> None:
    camera = Camera()
    camera.frames(range(100))
    assert camera.seqs() == SLOTS
    for one in camera.store.pictures:
        assert (one.epoch, one.captured_at_ns, one.size_px) == (7, one.seq * 40_000_000, (1280, 720))
        assert (decoded(one).shape[1::-1], one.image_size_px) == ((640, 360), (640, 360))
        assert read_number(decoded(one)) == one.seq
    assert camera.counts() == {"kept": len(SLOTS)}


def test_a_frame_that_is_small_enough_is_kept_as_it_was_sent() -> None:
    camera = Camera(size_px=(640, 480))
    camera.frames(range(1))
    camera.seqs()
    settings = CameraSettings(source="usb:0")
    assert camera.store.pictures[0].jpeg == encode(RowsImage(draw(0, (640, 480))), settings).data


@pytest.mark.parametrize("values", [{"encoding": "raw"}, {}])
def test_a_frame_in_another_encoding_or_size_is_encoded_for_the_ring(values: dict[str, Any]) -> None:
    camera = Camera({"mode": "on", "max_size_px": 320}, size_px=(640, 480), **values)
    camera.frames(range(1), reduced_px=480)
    camera.seqs()
    assert camera.store.pictures[0].image_size_px == (320, 240)
    assert read_number(decoded(camera.store.pictures[0])) == 0


def test_of_frames_that_are_not_inferred_two_a_second_have_pictures() -> None:
    camera = Camera()
    camera.frames(range(50))
    camera.frames(range(50, 150), inferred=False)
    camera.frames(range(150, 175))
    kept = camera.seqs()
    assert kept[:11] == SLOTS[:11]
    # Twelve and a half frames are half a second.
    assert [seq for seq in kept if 50 <= seq < 150] == list(range(61, 150, 13))
    assert max(later - earlier for earlier, later in pairwise(kept)) <= 13


def test_off_costs_nothing() -> None:
    for evidence in ("off", "auto"):
        camera = Camera(evidence)
        before = threading.active_count()
        camera.frames(range(10))
        assert threading.active_count() == before
        assert (camera.seqs(), camera.opened, camera.metrics.snapshot()) == ([], [], {})


def test_pictures_are_dropped_and_counted_while_the_broker_does_not_answer() -> None:
    camera = Camera()
    camera.store.open.clear()
    camera.frames(range(0, 100))
    camera.store.open.set()
    kept = camera.seqs()
    assert len(kept) in (MOST_WAITING, MOST_WAITING + 1)
    assert camera.counts() == {"kept": len(kept), "dropped": len(SLOTS) - len(kept)}


def test_a_broker_that_refuses_is_reported_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    camera = Camera()
    camera.store.fails = True
    camera.frames(range(0, 20))
    wait_until(lambda: camera.counts().get("failed") == 5, "five failures")
    camera.store.fails = False
    camera.frames(range(20, 40))
    assert camera.seqs() == [23, 28, 33, 38]
    assert [record.getMessage() for record in caplog.records] == [
        "camera door: pictures for its events are not kept: the broker is away"
    ]


def test_switching_off_deletes_the_pictures_and_on_keeps_others() -> None:
    camera = Camera()
    camera.frames(range(10))
    camera.ring.follow(camera.settings.model_copy(update={"evidence": CameraSettings(source="x").evidence}))
    camera.frames(range(10, 20))
    wait_until(lambda: camera.store.cleared == 1, "an empty ring")
    camera.ring.follow(CameraSettings.model_validate({"source": "x", "evidence": {"mode": "on", "seconds": 3}}))
    camera.frames(range(20, 30))
    assert (camera.seqs(), camera.opened) == ([0, 3, 8, 20, 23, 28], [10.0, 3.0])


def test_pictures_have_square_pixels() -> None:
    class Wide(RowsImage):
        pixel_aspect = Fraction(2)  # type: ignore[assignment]

    camera = Camera()
    picture = CapturedImage(Wide(draw(3, (400, 480))), 0, CaptureClock.ARRIVAL)
    frame = Uninferred("door", 7, 0, 0, CaptureClock.ARRIVAL, Delivery.LIVE, (400, 480), "still")
    camera.ring.offer(picture, frame)
    camera.seqs()
    (one,) = camera.store.pictures
    assert (one.size_px, one.image_size_px) == ((400, 480), (640, 384))
