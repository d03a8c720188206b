"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from posebus.config.redaction import harmless, redact_text
from posebus.contract.public_json import dump, event_to_json, track_frame_to_json
from posebus.messages import Event, TrackFrame, TrackState
from posebus.plain_text import plain, plain_json
from posebus.subscribing.subscription import Message

REPEAT_S = 1.0
"""An unchanged line of a camera is shown again after this time."""

_FOR_PROGRAMS = ("_ns", "_px")
"""Ends of the names of times and boxes of an event, which are left out of the text; `--json` has them."""

_RECORDING_NS = 10 * 365 * 86_400 * 10**9
"""Times below this (1980) count from the start of a recording."""


class MessageLines:
    """Lines of text. The last line of each camera is kept, so that the same line does not come 25 times a second."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, str]] = {}

    def line(self, message: Message, now_s: float) -> str | None:
        """Return the line for `message`, or None if it would repeat the last one. `now_s` is monotonic."""
        body = message.body
        if isinstance(body, Event):
            shown = {key: value for key, value in body.data.items() if not key.endswith(_FOR_PROGRAMS)}
            details = "  ".join(f"{key}={value}" for key, value in shown.items())
            text = f"{clock_text(body.time_ns)}  {body.camera:<12}  {body.type.removeprefix('posebus.'):<14}  {details}"
            return harmless(text.rstrip())
        if not isinstance(body, TrackFrame):
            return None
        people = _people(body)
        last_at_s, last = self._last.get(body.camera, (-REPEAT_S, ""))
        if people == last and now_s - last_at_s < REPEAT_S:
            return None
        self._last[body.camera] = now_s, people
        return plain(f"{clock_text(body.captured_at_ns)}  {body.camera:<12}  {people}")


def json_line(message: Message) -> str | None:
    """Return `message` in its public JSON form; None for poses, which have none."""
    body = message.body
    if isinstance(body, Event):
        return plain_json(dump(_redacted(event_to_json(body))))
    if isinstance(body, TrackFrame) and message.provenance is not None:
        return plain_json(dump(track_frame_to_json(body, message.provenance, message.provenance.published_at_ns)))
    return None


def clock_text(time_ns: int) -> str:
    """Return the local time of day; of a recording without a date, the position in it."""
    if time_ns < _RECORDING_NS:
        seconds, milliseconds = divmod(time_ns // 1_000_000, 1000)
        return f"+{timedelta(seconds=seconds)}.{milliseconds:03d}"
    return f"{local_time(time_ns, '%H:%M:%S')}.{time_ns // 1_000_000 % 1000:03d}"


def local_time(time_ns: int, pattern: str) -> str:
    """Return a time (Unix ns) in the local time zone by a pattern of strftime; "?" for one of no calendar."""
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone().strftime(pattern)
    except (ValueError, OverflowError, OSError):
        return "?"


def _redacted(value: Any) -> Any:
    """Return JSON values with the credentials of addresses in its texts hidden: each text alone, so it stays JSON."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    return [_redacted(one) for one in value] if isinstance(value, list) else value


def _people(frame: TrackFrame) -> str:
    ids = {state: [str(track.id) for track in frame.tracks if track.state == state] for state in TrackState}
    confirmed, lost = ids[TrackState.CONFIRMED], ids[TrackState.LOST]
    noun = "person" if len(confirmed) == 1 else "people"
    text = f"{len(confirmed)} {noun}: {' '.join(confirmed)}" if confirmed else "no people"
    return f"{text}  (lost: {' '.join(lost)})" if lost else text
