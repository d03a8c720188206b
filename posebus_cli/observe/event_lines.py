"""What became of an event, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from posebus.explaining.lines import duration
from posebus.messages import Event
from posebus.plain_text import plain
from posebus.sinks.delivering.explaining import AtSink, EventFate, why_not
from posebus.sinks.delivering.records import Record, State
from posebus.wording import clock_text, counted, local_time
from posebus_cli.observe.event_text import event_text

FILTERS = {
    "types": "its setting types does not have this type",
    "rules": "its setting rules does not have the rule of this event",
    "cameras": "its setting cameras does not have this camera",
    "kinds": "its setting kinds has no events",
}


def event_lines(fate: EventFate, now_ns: int) -> Iterator[str]:
    """Yield what the event is, then a line for each sink."""
    event = fate.event
    if event is None:
        yield f"{plain(fate.event_id)}: it is not in the stream any more, so only the sinks say something about it"
    else:
        yield f"{plain(event.id)}: {event_text(event)}"
        yield from _about(event)
        if fate.entry_id is None:
            yield "it is not in the stream any more"
        else:
            at_ns = int(fate.entry_id.partition("-")[0]) * 1_000_000
            yield f"published at {_when(at_ns)} (entry {fate.entry_id})"
    yield ""
    if not fate.sinks:
        yield "no sink: neither the configuration nor the broker has one"
    for at in fate.sinks:
        yield f"{at.sink}: {_fate(at, event, now_ns)}"


def event_as_dict(fate: EventFate) -> dict[str, Any]:
    """The same as plain data, for `--json`."""
    return {
        "id": fate.event_id,
        "type": None if fate.event is None else fate.event.type,
        "entry": fate.entry_id,
        "sinks": {at.sink: _state(at, fate.event) for at in fate.sinks},
    }


def _state(at: AtSink, event: Event | None) -> dict[str, Any]:
    record = at.record
    if record is None:
        missed = None if event is None else why_not(at, event)
        state = "filtered" if missed else "unknown" if at.passed else "not read yet"
        return {"state": state, "why": missed or ""}
    found = {"state": record.state.value, "attempts": record.attempts, "at_ns": record.at_ns, "status": record.status}
    return {**found, "why": record.why, "next_ns": record.next_ns}


def _about(event: Event) -> Iterator[str]:
    parts = [f"camera {event.camera}, frame {event.epoch}:{event.seq}, captured at {clock_text(event.time_ns)}"]
    rule, kind, track = (event.data.get(name) for name in ("rule", "kind", "track_id"))
    if rule is not None:
        parts.append(f"rule {plain(str(rule))}{'' if kind is None else f' ({plain(str(kind))})'}")
    if track is not None:
        parts.append(f"track {plain(str(track))}")
    yield "; ".join(parts)


def _fate(at: AtSink, event: Event | None, now_ns: int) -> str:
    record = at.record
    if record is not None:
        return _recorded(at, record, now_ns)
    missed = None if event is None else why_not(at, event)
    if missed is not None:
        return f"not sent: {FILTERS[missed]}"
    if at.passed is None:
        return "not sent: the sink has not read any event yet; does it run?"
    if not at.passed:
        return "not sent yet: the sink has not read as far as this event"
    if at.settings is None:
        return "no record, and the configuration has no such sink"
    return "no record: it is older than the records, was there before the sink began, or is being sent at this moment"


def _recorded(at: AtSink, record: Record, now_ns: int) -> str:
    attempts = counted(record.attempts, "attempt")
    answer = f" ({record.status})" if record.status else ""
    when = _when(record.at_ns)
    if record.state is State.DELIVERED:
        return f"delivered at {when} after {attempts}{answer}"
    if record.state is State.FILTERED:
        return f"not sent: {FILTERS.get(record.why, record.why)} (as of {when})"
    if record.state is State.WAITING:
        left_s = (record.next_ns - now_ns) / 1e9
        following = f"the next in {duration(left_s)}" if left_s > 0 else "the next is due"
        return f"waiting: {attempts} failed, the last at {when}: {record.why}; {following}"
    if record.state is State.LOST:
        return (
            f"lost at {when} after {attempts}: it left the stream before it could be sent; last failure: {record.why}"
        )
    kept = (
        f"it is kept: 'posebus deliver --replay {at.sink} --id ID' sends it again"
        if at.letter
        else "it is not kept any more"
    )
    return f"undelivered since {when} after {attempts}: {record.why}; {kept}"


def _when(at_ns: int) -> str:
    return local_time(at_ns, "%Y-%m-%d %H:%M:%S")
