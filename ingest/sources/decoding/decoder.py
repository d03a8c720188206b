"""The video decoder that file and network sources share; it decodes as few packets as the rate cap allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.mjpeg import JpegPackets
from ingest.sources.decoding.pixels import Image
from ingest.sources.decoding.skipping import FrameSkipping


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One picture of a video stream.

    `pts` is in the stream's time base, None if unknown; `opaque` is the value that was attached to its packet.
    """

    image: Image
    pts: int | None
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

    def decode(self, packet: Any | None) -> list[StreamFrame]:
        """Return the pictures that `packet` completes, in presentation order; None flushes. Raises FFmpegError."""
        if packet is not None and self._jpegs is not None and (image := self._jpegs.image(packet)) is not None:
            pts = packet.dts if packet.pts is None else packet.pts
            return [
                StreamFrame(
                    image=image,
                    pts=pts,
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

    def _stream_frame(self, frame: Any) -> StreamFrame:
        self._skipping.after(self._seconds(frame.pts))
        return StreamFrame(
            image=DecodedImage(frame, self._converter),
            pts=frame.pts,
            opaque=frame.opaque,
            is_corrupt=bool(frame.is_corrupt),
            sample=lambda: memoryview(frame.planes[0]),
        )

    def _seconds(self, pts: int | None) -> float | None:
        return None if pts is None else float(pts * self._stream.time_base)
