"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from posebus.config.redaction import harmless, redact_text
from posebus.contract.public_json import dump, event_to_json, track_frame_to_json
from posebus.messages import Event, EventType, TrackFrame, TrackState
from posebus.plain_text import plain, plain_json
from posebus.subscribing.subscription import Message
from posebus.wording import counted
from posebus_cli.observe.event_text import clock_text, event_text, is_second_of_exchange, skipped_in_words

REPEAT_MS = 1000
"""An unchanged line of a camera is shown again after this time."""
GAPS_MS = 2000
"""The skipped frames of a camera are summed up for this long. Under overload each second has an event of them."""


@dataclass(slots=True)
class _Gaps:
    """Skipped frames of one camera by reason, since a time of the broker's clock."""

    since_ms: int
    last_ms: int
    reasons: Counter[str] = field(default_factory=Counter)

    def line(self, camera: str, at_ms: int) -> str:
        seconds = (at_ms - self.since_ms) / 1000
        within = f" in {seconds:.1f} s" if seconds >= 0.1 else ""
        skipped, colon, why = skipped_in_words(self.reasons).partition(":")
        return f"{clock_text(at_ms * 1_000_000)}  {camera:<12}  {skipped}{within}{colon}{why}"


class MessageLines:
    """Lines of text for messages in the order of their times.

    The last line of each camera is kept, so that the same line does not come 25 times a second.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, str]] = {}
        self._gaps: dict[str, _Gaps] = {}

    def add(self, message: Message, at_ms: int) -> list[str]:
        """Return the lines that are due with `message`, whose time is `at_ms` (broker's clock, Unix time)."""
        body = message.body
        lines = self.advance_to(at_ms)
        if isinstance(body, TrackFrame):
            lines += self._people_line(body, at_ms)
        elif isinstance(body, Event) and not self._sum_up(body, at_ms) and not is_second_of_exchange(body):
            lines.append(harmless(f"{clock_text(body.time_ns)}  {body.camera:<12}  {event_text(body)}"))
        return lines

    def advance_to(self, at_ms: int) -> list[str]:
        """Return the sums of skipped frames that are complete, as no message before `at_ms` will come."""
        ready = {camera: gaps for camera, gaps in self._gaps.items() if gaps.since_ms + GAPS_MS <= at_ms}
        for camera in ready:
            del self._gaps[camera]
        in_order = sorted(ready.items(), key=lambda pair: pair[1].since_ms)
        return [harmless(gaps.line(camera, gaps.since_ms + GAPS_MS)) for camera, gaps in in_order]

    def rest(self) -> list[str]:
        """Return the sums that are not complete yet."""
        in_order = sorted(self._gaps.items(), key=lambda pair: pair[1].last_ms)
        self._gaps = {}
        return [harmless(gaps.line(camera, gaps.last_ms)) for camera, gaps in in_order]

    def _sum_up(self, event: Event, at_ms: int) -> bool:
        """Count the frames of a gap; returns False for every other event, and for a gap that cannot be read."""
        reasons = event.data.get("reasons")
        if event.type != EventType.CAMERA_GAP or not isinstance(reasons, dict):
            return False
        gaps = self._gaps.setdefault(event.camera, _Gaps(at_ms, at_ms))
        gaps.last_ms = at_ms
        for reason, number in reasons.items():
            if isinstance(number, int):
                gaps.reasons[str(reason)] += number
        return True

    def _people_line(self, frame: TrackFrame, at_ms: int) -> list[str]:
        people = _people(frame)
        last_at_ms, last = self._last.get(frame.camera, (at_ms - REPEAT_MS, ""))
        if people == last and at_ms - last_at_ms < REPEAT_MS:
            return []
        self._last[frame.camera] = at_ms, people
        return [plain(f"{clock_text(frame.captured_at_ns)}  {frame.camera:<12}  {people}")]


def json_line(message: Message) -> str | None:
    """Return `message` in its public JSON form; None for poses, which have none."""
    body = message.body
    if isinstance(body, Event):
        return plain_json(dump(_redacted(event_to_json(body))))
    if isinstance(body, TrackFrame) and message.provenance is not None:
        return plain_json(dump(track_frame_to_json(body, message.provenance, message.provenance.published_at_ns)))
    return None


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
    text = f"{counted(len(confirmed), 'person')}: {' '.join(confirmed)}" if confirmed else "no people"
    return f"{text}  (lost: {' '.join(lost)})" if lost else text
