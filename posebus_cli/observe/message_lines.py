"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

from typing import Any

from posebus.config.redaction import harmless, redact_text
from posebus.contract.public_json import dump
from posebus.messages import Event, TrackFrame, TrackState
from posebus.plain_text import plain, plain_json
from posebus.subscribing.subscription import Message, message_to_json
from posebus.wording import clock_text, counted
from posebus_cli.observe.event_text import event_text, is_second_of_exchange
from posebus_cli.observe.repeats import Repeated, RepeatedEvents

REPEAT_MS = 1000
"""An unchanged line of a camera is shown again after this time."""


class MessageLines:
    """Lines of text for messages in the order of their times.

    The last line of each camera is kept, so that the same line does not come 25 times a second, and events that repeat
    are summed up. With `all_of_them` each message is a line.
    """

    def __init__(self, *, all_of_them: bool = False) -> None:
        self._all = all_of_them
        self._last: dict[str, tuple[int, str]] = {}
        self._repeated = RepeatedEvents()

    def add(self, message: Message, at_ms: int) -> list[str]:
        """Return the lines that are due with `message`, whose time is `at_ms` (broker's clock, Unix time)."""
        body = message.body
        lines = self.advance_to(at_ms)
        if isinstance(body, TrackFrame):
            lines += self._people_line(body, at_ms)
        elif isinstance(body, Event) and (self._all or not self._is_summed_up(body, at_ms)):
            lines.append(harmless(f"{clock_text(body.time_ns)}  {body.camera:<12}  {event_text(body)}"))
        return lines

    def advance_to(self, at_ms: int) -> list[str]:
        """Return the sums of events that are complete, as no message before `at_ms` will come."""
        return [_sum_line(one) for one in self._repeated.due(at_ms)]

    def rest(self) -> list[str]:
        """Return the sums that are not complete yet."""
        return [_sum_line(one) for one in self._repeated.rest()]

    def _is_summed_up(self, event: Event, at_ms: int) -> bool:
        return self._repeated.take(event, at_ms) or is_second_of_exchange(event)

    def _people_line(self, frame: TrackFrame, at_ms: int) -> list[str]:
        people = _people(frame)
        last_at_ms, last = self._last.get(frame.camera, (at_ms - REPEAT_MS, ""))
        if not self._all and people == last and at_ms - last_at_ms < REPEAT_MS:
            return []
        self._last[frame.camera] = at_ms, people
        return [plain(f"{clock_text(frame.captured_at_ns)}  {frame.camera:<12}  {people}")]


def _sum_line(one: Repeated) -> str:
    return harmless(f"{clock_text(one.at_ms * 1_000_000)}  {one.camera:<12}  {one.text}")


def json_line(message: Message) -> str | None:
    """Return `message` in its public JSON form; None for poses, which have none."""
    content = message_to_json(message)
    if content is None:
        return None
    return plain_json(dump(_redacted(content) if isinstance(message.body, Event) else content))


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
