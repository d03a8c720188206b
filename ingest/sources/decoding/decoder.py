"""The video decoder that file and network sources share; it decodes as few packets as the rate cap allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.mjpeg import JpegImage, JpegPackets
from ingest.sources.decoding.pixels import Image
from ingest.sources.decoding.skipping import FrameSkipping
from posebus.square_pixels import usable_aspect


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One picture of a video stream.

    `pts` and `dts` are its times by presentation and by decoding order, in the stream's time base, None if unknown;
    `opaque` is the value that was attached to its packet.
    """

    image: Image
    pts: int | None
    dts: int | None
    opaque: Any
    is_corrupt: bool
    sample: Callable[[], memoryview]
    """Returns bytes that identify the picture: its plane of brightness, or its JPEG file."""


class VideoDecoder:
    """Decodes one video stream, packet by packet."""

    def __init__(self, stream: Any, skipping: FrameSkipping) -> None:
        self._stream = stream
        self._skipping = skipping
        self._jpegs = JpegPackets() if stream.codec_context.name == "mjpeg" else None
        self._converter = FrameConverter()
        self._aspect = PixelAspect(stream)
        self.odd_degrees = 0.0
        """The angle of a display matrix that is not applied, since it is no multiple of 90 degrees; else 0."""

    def decode(self, packet: Any | None) -> list[StreamFrame]:
        """Return the pictures that `packet` completes, in presentation order; None flushes. Raises FFmpegError."""
        if packet is not None and (image := self._jpeg(packet)) is not None:
            pts = packet.dts if packet.pts is None else packet.pts
            return [
                StreamFrame(
                    image=image,
                    pts=pts,
                    dts=packet.dts,
                    opaque=packet.opaque,
                    is_corrupt=False,
                    sample=lambda: memoryview(bytes(packet)),
                )
            ]
        context = self._stream.codec_context
        if packet is not None:
            level = self._skipping.before(self._seconds(packet.pts), is_key=packet.is_keyframe)
            if context.skip_frame != level:
                context.skip_frame = level
        frames: list[Any] = context.decode(packet)
        if packet is not None and self._jpegs is not None:
            self._jpegs.learn(packet, frames)
        return [self._stream_frame(frame) for frame in frames]

    def _jpeg(self, packet: Any) -> JpegImage | None:
        return None if self._jpegs is None else self._jpegs.image(packet, self._aspect.now())

    def _stream_frame(self, frame: Any) -> StreamFrame:
        self._skipping.after(self._seconds(frame.pts))
        image = DecodedImage(frame, self._converter, self._aspect.now())
        self.odd_degrees = self.odd_degrees or image.odd_degrees
        return StreamFrame(
            image=image,
            pts=frame.pts,
            dts=frame.dts,
            opaque=frame.opaque,
            is_corrupt=bool(frame.is_corrupt),
            sample=lambda: memoryview(frame.planes[0]),
        )

    def _seconds(self, pts: int | None) -> float | None:
        return None if pts is None else float(pts * self._stream.time_base)


class PixelAspect:
    """The pixel aspect ratio of one stream: the container's, or else the codec's, which may change on the way."""

    def __init__(self, stream: Any) -> None:
        self._context = stream.codec_context
        self._first = self._context.sample_aspect_ratio
        self._whole = stream.sample_aspect_ratio
        self._of_container = (self._whole or None) != (self._first or None)

    def now(self) -> Fraction:
        """Return the ratio of the picture that was decoded last."""
        current = self._context.sample_aspect_ratio
        return usable_aspect(self._whole if self._of_container or current == self._first else current)
