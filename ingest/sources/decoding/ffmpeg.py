"""Find the video stream of a container by PyAV and set up its decoder; file and network sources share this.

We use PyAV rather than OpenCV (`benchmarks/throughput/capture.py` measures both): per frame of a 640x480 to 768x576
clip, decoding to BGR takes 0.7 to 0.9 ms of processor time in PyAV and 0.5 to 0.9 ms in OpenCV, and the pictures are
the same. But only PyAV reports key frames, corrupt packets, the camera's clock for each packet and the reason of a
failure, and keeps its timeouts. PyAV is cheapest with one decoding thread (more threads take more processor time in
all, which inference needs) and without a conversion to BGR (`ingest.sources.decoding.decoded`).
"""

from __future__ import annotations

from typing import Any

import av
import av.error

from ingest.sources.decoding.pixels import MAX_PIXELS

FIELDS_TOLERANCE = 0.02
ONE_THREAD_PIXELS = 1920 * 1088
"""Up to this size one core decodes faster than real time; larger live streams may need two."""


def find_video_stream(container: Any) -> Any | None:
    """Return the video stream to play, with its decoder prepared; None if none can be decoded.

    It is the one that the container marks as the default; among several, or without a mark, that of the largest
    pictures, as FFmpeg chooses. Cover art and thumbnails are no video.
    """
    streams = [stream for stream in container.streams.video if stream.codec_context is not None and is_video(stream)]
    if not streams:
        return None
    chosen = max(streams, key=_preference)
    prepare_decoder(chosen.codec_context)
    return chosen


def _preference(stream: Any) -> tuple[bool, bool, int]:
    pixels = stream.codec_context.width * stream.codec_context.height
    return pixels > 0, bool(stream.disposition & av.stream.Disposition.default), pixels


def is_video(stream: Any) -> bool:
    """Return whether `stream` is more than a picture of the recording, such as its cover."""
    return not stream.disposition & (av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails)


def prepare_decoder(codec_context: Any) -> None:
    """Limit threads and picture size before the decoder is opened."""
    # With several threads, MJPEG packets that are passed on undecoded would overtake those that are decoded.
    if codec_context.width * codec_context.height <= ONE_THREAD_PIXELS or codec_context.name == "mjpeg":
        codec_context.thread_type = "NONE"
        codec_context.thread_count = 1
    else:
        codec_context.thread_type = "AUTO"
        codec_context.thread_count = 2
    codec_context.options = {"max_pixels": str(MAX_PIXELS)}


def nominal_fps(stream: Any) -> float | None:
    """Return the average frames per second from the container's header, None if it is missing or absurd.

    A stream without times (raw H.264) has only the codec's rate. An average of twice that rate counts fields.
    """
    average, guessed = stream.average_rate, stream.guessed_rate
    if guessed and (stream.start_time is None or (average and abs(average / guessed - 2) < FIELDS_TOLERANCE)):
        average = guessed
    rate = average or guessed
    if not rate or not 0.01 <= float(rate) <= 1000:
        return None
    return float(rate)


def explain(error: Exception) -> str:
    """Return FFmpeg's reason in lower case and without the address, which may hold a password."""
    text = getattr(error, "strerror", None) or type(error).__name__
    return str(text).rstrip(".").lower()
