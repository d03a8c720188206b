"""Keep every picture that is published, also of frames that are not inferred, in a file: `posebus run` draws them.

The pictures of frames that are inferred are kept as they were sent, which costs nothing but the disk.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from ingest.publishing.encoding import encode
from ingest.sources import Admit, CapturedImage, Source, open_source
from ingest.sources.wrapping.wrapped import WrappedSource
from posebus.bus.cameras.for_tracker import ForTracker
from posebus.bus.checkpoint import Checkpoint
from posebus.bus.frame_producer import Backlog, FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture
from posebus.logs.about import about
from posebus.machine.kept_pictures import PictureKeeper
from posebus.messages import EndOfStream, Event, Frame, Uninferred

REMEMBERED = 8
"""More pictures than can wait between the thread that reads the source and the one that publishes."""
DEFAULT_SIZE_PX = 1280

log = logging.getLogger("posebus.ingest")


class FrameKeeper:
    """The file of one camera, and the last pictures of its source, which a mark without a picture refers to."""

    def __init__(self, camera: str, settings: CameraSettings, path: Path) -> None:
        self._camera = camera
        self._settings = settings.model_copy(update={"encoding": "jpeg"})
        limit = settings.max_size_px
        self._max_size_px = DEFAULT_SIZE_PX if limit == "auto" else limit
        self._file = PictureKeeper(path)
        self._recent: OrderedDict[int, CapturedImage] = OrderedDict()
        self._complained = False

    def open_source(self, settings: CameraSettings) -> Source:
        """Open the source; its pictures are remembered for a moment."""
        return _RememberingSource(open_source(settings), self)

    def remember(self, picture: CapturedImage) -> None:
        """Called in the thread that reads the source."""
        self._recent[picture.captured_at_ns] = picture
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def keep(self, item: Frame | Uninferred) -> None:
        """Append the picture of a frame that was published. It never raises: the camera matters more."""
        if isinstance(item, Frame) and item.encoding == "jpeg":
            self._file.add(item.captured_at_ns, item.data)
        elif (picture := self._recent.get(item.captured_at_ns)) is not None:
            try:
                self._file.add(item.captured_at_ns, encode(picture.image, self._settings, self._max_size_px).data)
            except BadPicture as error:
                log.debug("camera %s: a picture cannot be kept: %s", self._camera, error, extra=about(self._camera))
        if self._file.trouble is not None and not self._complained:
            self._complained = True
            trouble = self._file.trouble
            log.error(
                "camera %s: its pictures are not kept from here on: %s",
                self._camera,
                trouble,
                extra=about(self._camera),
            )


class KeepingProducer(FrameProducer):
    """A `FrameProducer` whose published frames are kept in a file as well."""

    def __init__(
        self, broker: Broker, record: CameraRecord, lease: Lease, events_kept: int, keeper: FrameKeeper
    ) -> None:
        super().__init__(broker, record, lease, events_kept)
        self._keeper = keeper

    def publish(
        self,
        item: Frame | Uninferred | EndOfStream | ForTracker | None,
        events: Sequence[Event] = (),
        checkpoint: Checkpoint | None = None,
    ) -> Backlog:
        """See `FrameProducer.publish`. Only a frame that the broker took is kept."""
        backlog = super().publish(item, events, checkpoint)
        if isinstance(item, Frame | Uninferred):
            self._keeper.keep(item)
        return backlog


class _RememberingSource(WrappedSource):
    """Another source, whose pictures the keeper remembers."""

    def __init__(self, source: Source, keeper: FrameKeeper) -> None:
        super().__init__(source)
        self._keeper = keeper

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        picture = self._source.read(admit)
        if picture is not None:
            self._keeper.remember(picture)
        return picture
