"""From packets to pictures, with as little decoding as will do. What file and network sources share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.mjpeg import JpegPackets
from ingest.sources.decoding.pixels import Image
from ingest.sources.decoding.skipping import FrameSkipping


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a stream. `pts` in the stream's time base, None where unknown; `opaque` is its packet's."""

    image: Image
    pts: int | None
    opaque: Any
    is_corrupt: bool
    sample: Callable[[], memoryview]
    """The bytes that tell the picture from others: its brightness, or the JPEG file that it came as."""


class VideoDecoder:
    """The decoder of one stream."""

    def __init__(self, stream: Any, skipping: FrameSkipping) -> None:
        self._stream = stream
        self._skipping = skipping
        self._jpegs = JpegPackets() if stream.codec_context.name == "mjpeg" else None
        self._converter = FrameConverter()

    def decode(self, packet: Any | None) -> list[Shown]:
        """The pictures that `packet` completes, in the order of presentation; None flushes. Raises FFmpegError."""
        if packet is not None and self._jpegs is not None and (image := self._jpegs.image(packet)) is not None:
            pts = packet.dts if packet.pts is None else packet.pts
            return [Shown(image, pts, packet.opaque, is_corrupt=False, sample=lambda: memoryview(bytes(packet)))]
        context = self._stream.codec_context
        if packet is not None:
            level = self._skipping.before(self._seconds(packet.pts), is_key=packet.is_keyframe)
            if context.skip_frame != level:
                context.skip_frame = level
        frames: list[Any] = context.decode(packet)
        if packet is not None and self._jpegs is not None:
            self._jpegs.learn(packet, frames)
        return [self._shown(frame) for frame in frames]

    def _shown(self, frame: Any) -> Shown:
        self._skipping.after(self._seconds(frame.pts))
        image = DecodedImage(frame, self._converter)
        return Shown(image, frame.pts, frame.opaque, bool(frame.is_corrupt), lambda: memoryview(frame.planes[0]))

    def _seconds(self, pts: int | None) -> float | None:
        return None if pts is None else float(pts * self._stream.time_base)
