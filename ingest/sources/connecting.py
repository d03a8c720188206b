"""Open the connection to a camera's address with FFmpeg, and say in words why it failed.

FFmpeg's errors quote the address, which may hold a password, so they are not chained to ours.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import av
import av.error
from av.codec.hwaccel import HWAccel

from ingest.sources.decoding.ffmpeg import explain
from ingest.sources.decoding.pixels import MAX_PIXELS
from posebus.config.redaction import redact_url
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, SourceRejected, SourceUnavailable

HLS_READ_TIMEOUT_S = 30.0
"""HLS sends nothing between two segments, for ten seconds and more."""
LOGIN_ERRORS = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)


class NoVideo(SourceUnavailable):
    """The address answers, but not with a video."""


def connect(settings: CameraSettings, read_timeout_s: float, hardware: HWAccel | None) -> Any:
    shown = redact_url(settings.source)
    began_s = time.monotonic()
    try:
        return av.open(
            settings.source,
            options=_options(settings),
            hwaccel=hardware,
            timeout=(settings.open_timeout_s, read_timeout_s),
            metadata_errors="replace",
        )
    except av.error.ProtocolNotFoundError:
        raise SourceRejected(unknown_scheme(shown)) from None
    except av.error.FFmpegError as error:
        in_time = time.monotonic() - began_s < settings.open_timeout_s
        # Some protocols report the interruption as bad data.
        shown_error = error if in_time else av.error.ExitError(0, "")
        refused = isinstance(error, LOGIN_ERRORS)
        no_video = isinstance(shown_error, av.error.InvalidDataError)
        kind = LoginRefused if refused else NoVideo if no_video else SourceUnavailable
        raise kind(f"{shown} {describe(shown_error, settings.open_timeout_s)}") from None


def describe(error: Exception, timeout_s: float) -> str:
    """Return what went wrong, as the rest of a sentence that starts with the address."""
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return f"did not answer within {timeout_s:g} s; check its address, power and network"
    if isinstance(error, av.error.ConnectionRefusedError):
        return "refuses the connection; check address and port"
    if isinstance(error, LOGIN_ERRORS):
        return "refuses the login; put the right user and password into its address"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "answers that there is no such stream; check the path in its address"
    if isinstance(error, av.error.InvalidDataError):
        return "sends something that is no video"
    return f"cannot be reached or read: {explain(error)}; check host name and network"


def unknown_scheme(shown: str) -> str:
    return f"the address {shown} has a scheme that FFmpeg does not know; use rtsp://, http:// or https://"


def read_timeout_s(settings: CameraSettings) -> float:
    if urlsplit(settings.source).path.endswith(".m3u8"):
        return max(settings.read_timeout_s, HLS_READ_TIMEOUT_S)
    return settings.read_timeout_s


def _options(settings: CameraSettings) -> dict[str, str]:
    """FFmpeg's options: probe the stream only until its format is known, not its frame rate, which saves 1 s."""
    timeout_us = str(round(max(settings.open_timeout_s, read_timeout_s(settings)) * 1e6))
    # This limit on the picture is for FFmpeg's probing of the stream; prepare_decoder sets that of the decoder.
    options = {"fpsprobesize": "0", "analyzeduration": "2000000", "max_pixels": str(MAX_PIXELS)}
    if urlsplit(settings.source).scheme.lower() in {"rtsp", "rtsps"}:
        return options | {
            "rtsp_transport": settings.rtsp_transport,
            "allowed_media_types": "video",
            "timeout": timeout_us,
        }
    return options | {"rw_timeout": timeout_us}
