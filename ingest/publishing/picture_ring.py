"""Keep the newest pictures of a camera, reduced, in the broker, for snapshots and clips of its events.

A thread sends them, over a connection of its own, so that neither a slow broker nor one that refuses them delays a
frame. Frames that were not inferred have pictures, too, though fewer: a person who has fallen lies in a still scene.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ingest.publishing.encoding import encode
from ingest.sources import CapturedImage
from ingest.sources.pacing import RateCap
from posebus.bus.evidence.ring import RingPicture
from posebus.config.cameras.evidence import EvidenceSettings, keeps_pictures
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture, PoseBusError
from posebus.logs.about import about
from posebus.messages import Frame, Uninferred
from posebus.telemetry.metrics import Metrics

QUALITY = 80
"""JPEG quality of pictures that are encoded for the ring."""
UNINFERRED_EVERY_NS = 500_000_000
"""Least time from a picture to the next one of a frame that was not inferred: half of what a snapshot may be off."""
MOST_WAITING = 4
"""Pictures that wait for the broker; further ones are dropped."""

log = logging.getLogger("posebus.ingest")


class RingStore(Protocol):
    """The part of `posebus.bus.evidence.ring.RingWriter` that is needed here."""

    def add(self, picture: RingPicture) -> bool: ...
    def clear(self) -> None: ...


OpenRing = Callable[[EvidenceSettings], RingStore]


class PictureRing:
    """The ring of one camera. Nothing is encoded, sent or started while no pictures are kept."""

    def __init__(
        self, camera: str, settings: CameraSettings, open_ring: OpenRing, metrics: Metrics, *, live: bool
    ) -> None:
        """live: frames are dropped when they are late, in which case `evidence: auto` follows the camera's rules."""
        self._live = live
        self._settings = settings.model_copy(update={"encoding": "jpeg", "jpeg_quality": QUALITY})
        self._sender = RingSender(camera, open_ring, metrics)
        self._metrics = metrics
        self._wanted: EvidenceSettings | None = None
        self._cap = RateCap(None)
        self._kept_at_ns: int | None = None
        self.follow(settings)

    def follow(self, settings: CameraSettings) -> None:
        """Keep pictures by these settings of the camera from now on, or none, and delete those that are there."""
        wanted = settings.evidence if keeps_pictures(settings, live=self._live) else None
        if wanted == self._wanted:
            return
        if wanted is not None:
            self._cap, self._kept_at_ns = RateCap(wanted.max_fps), None
        self._wanted = wanted
        self._sender.use(wanted)

    def offer(self, picture: CapturedImage, frame: Frame | Uninferred) -> None:
        """Keep the picture of `frame` if one is due. It never raises, and never waits for the broker."""
        if self._wanted is None or not self._is_due(frame, self._wanted.max_fps):
            return
        began_s = time.perf_counter()
        try:
            reduced = self._reduced(picture, frame, self._wanted.max_size_px)
        except BadPicture:
            return  # frames of it are refused alike, with the reason
        self._kept_at_ns = frame.captured_at_ns
        self._sender.send(reduced)
        self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="evidence")

    def _is_due(self, frame: Frame | Uninferred, max_fps: float) -> bool:
        if isinstance(frame, Frame):
            return self._cap.admit(frame.captured_at_ns)
        if self._kept_at_ns is None or frame.captured_at_ns < self._kept_at_ns:
            return True
        return frame.captured_at_ns - self._kept_at_ns >= max(UNINFERRED_EVERY_NS, 1e9 / max_fps)

    def _reduced(self, picture: CapturedImage, frame: Frame | Uninferred, max_size_px: int) -> RingPicture:
        if isinstance(frame, Frame) and frame.encoding == "jpeg" and max(frame.image_size_px) <= max_size_px:
            image_size_px, jpeg = frame.image_size_px, frame.data
        else:
            encoded = encode(picture.image, self._settings, max_size_px)
            image_size_px, jpeg = encoded.image_size_px, encoded.data
        return RingPicture(frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, image_size_px, jpeg)


class RingSender:
    """The thread that writes into the ring; it starts with the first picture, and ends with the camera's process."""

    def __init__(self, camera: str, open_ring: OpenRing, metrics: Metrics) -> None:
        self._camera = camera
        self._open_ring = open_ring
        self._metrics = metrics
        self._waiting: queue.Queue[RingPicture | EvidenceSettings | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._troubled = False

    def use(self, wanted: EvidenceSettings | None) -> None:
        """Write by these settings; None: delete the pictures."""
        if wanted is not None or self._thread is not None:
            self._waiting.put(wanted)

    def send(self, picture: RingPicture) -> None:
        """Have the picture written; dropped, and counted, while others wait for the broker."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"evidence-{self._camera}", daemon=True)
            self._thread.start()
        if self._waiting.qsize() >= MOST_WAITING:
            self._count("dropped")
        else:
            self._waiting.put(picture)

    def _run(self) -> None:
        store: RingStore | None = None
        while True:
            item = self._waiting.get()
            try:
                if isinstance(item, RingPicture):
                    if store is not None:
                        self._count("kept" if store.add(item) else "late")
                elif item is not None:
                    store = self._open_ring(item)
                elif store is not None:
                    store.clear()
                    store = None
            except PoseBusError as error:
                self._count("failed")
                self._complain(error)
            else:
                self._troubled = False

    def _complain(self, error: PoseBusError) -> None:
        if not self._troubled:
            self._troubled = True
            text = "camera %s: pictures for its events are not kept: %s"
            log.warning(text, self._camera, error, extra=about(self._camera))

    def _count(self, outcome: str) -> None:
        self._metrics.count("posebus_evidence_pictures_total", outcome=outcome)
