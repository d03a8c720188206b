"""What an event says, as people write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from posebus.messages import Event, EventType
from posebus.telemetry.reports import view_in_words
from posebus.wording import clock_text, counted
from posebus_cli.observe.rule_text import RULE_WORDS

_UNITS = {"_s": "s", "_ms": "ms", "_px": "px", "_fps": "frames/s", "_px_s": "px/s"}
"""By the end of a field's name."""
_MOST = 8
"""Elements of a list that are shown."""
_DEEPEST = 3
"""Lists in lists that are shown."""


def event_text(event: Event) -> str:
    """Return what `event` says, without its time and its camera."""
    words = _WORDS.get(event.type)
    if words is not None:
        try:
            return words(event.data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            pass  # the event of another version: its fields are shown as they are
    fields = "; ".join(fields_in_words(event.data))
    return f"{event.type.removeprefix('posebus.')}{': ' if fields else ''}{fields}"


def is_second_of_exchange(event: Event) -> bool:
    """Return whether `event` is the second of the two events of an exchange, which have the same text."""
    before, now = event.data.get("track_id"), event.data.get("renamed_to")
    exchanged = event.type == EventType.TRACK_RENAMED and event.data.get("exchanged") is True
    return exchanged and isinstance(before, int) and isinstance(now, int) and before > now


def skipped_in_words(reasons: Mapping[str, int]) -> str:
    """Return how many frames were skipped, and why."""
    whys = ", ".join(f"{number} {reason}" if len(reasons) > 1 else reason for reason, number in reasons.items())
    return f"{counted(sum(reasons.values()), 'frame')} skipped{': ' if whys else ''}{whys}"


def fields_in_words(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield each field with its unit. Boxes and keypoints are left out; `--json` has them."""
    for key, value in data.items():
        if isinstance(value, list) and key.endswith("_px"):
            continue
        name, text = _field(key, value)
        yield f"{name.replace('_', ' ')} {text}"


def _field(key: str, value: Any) -> tuple[str, str]:
    if isinstance(value, int) and not isinstance(value, bool):
        if key.endswith("_ns"):
            return key.removesuffix("_ns"), clock_text(value)
        if key.endswith("_bytes"):
            return key.removesuffix("_bytes"), f"{value / 1e6:.1f} MB"
    for ending in sorted(_UNITS, key=len, reverse=True):
        if key.endswith(ending) and isinstance(value, int | float):
            return key.removesuffix(ending), f"{_value(value)} {_UNITS[ending]}"
    return key, _value(value)


def _value(value: Any, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return "…"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(part, depth + 1)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        shown = ", ".join(_value(part, depth + 1) for part in value[:_MOST])
        return f"{shown}, …" if len(value) > _MOST else shown or "none"
    return str(value)


def _gap(data: Mapping[str, Any]) -> str:
    return skipped_in_words({str(reason): int(number) for reason, number in data["reasons"].items()})


def _cut(data: Mapping[str, Any]) -> str:
    return f"the picture shows another place: {counted(int(data['ended']), 'track')} ended"


def _ended(data: Mapping[str, Any]) -> str:
    reason = data.get("reason")
    why = "" if reason in (None, "end of file") else f": {reason}"
    return f"ended after {counted(int(data['frames']), 'frame')}{why}"


def _imgsz(data: Mapping[str, Any]) -> str:
    if "before" not in data:
        return f"inferred at {view_in_words(str(data['view']))}: {data['advice']}"
    now, before = view_in_words(str(data["view"])), view_in_words(str(data["before"]))
    return f"inferred at {now}{'' if now == before else f' instead of {before}'}: {data['reason']}"


_LEFT_AT: Mapping[Any, str] = MappingProxyType({"source ended": " at the end of the source", "cut": " at a cut"})
"""Words for the reason of an end."""


def _left(data: Mapping[str, Any]) -> str:
    if data.get("reason") == "renamed":
        return f"the number {data['track_id']} is not used any more"
    end = _LEFT_AT.get(data.get("reason"), "")
    return f"person {data['track_id']} left{end}, after {_duration(data)}"


def _renamed(data: Mapping[str, Any]) -> str:
    before, now, since = data["track_id"], data["renamed_to"], f"since frame {data['since_seq']}"
    if data.get("exchanged"):
        return f"{min(before, now)} and {max(before, now)} were confused; they have been exchanged {since}"
    return f"{before} is the same person as {now}, {since}"


def _finished(data: Mapping[str, Any]) -> str:
    way = f"{data['distance_m']:.1f} m" if "distance_m" in data else f"{data['distance_px']} px"
    places = [str(one["rule"]) for one in (*data["zones"], *data["lines"])]
    by = f", by {', '.join(dict.fromkeys(places))}" if places else ""
    return f"person {data['track_id']} is finished: {_duration(data)}, {way}{by}"


def _duration(data: Mapping[str, Any]) -> str:
    return f"{float(data['duration_s']):.1f} s"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        EventType.TRACK_STARTED: lambda data: f"person {data['track_id']} appeared",
        EventType.TRACK_LOST: lambda data: f"person {data['track_id']} out of sight, after {_duration(data)}",
        EventType.TRACK_ENDED: _left,
        EventType.TRACK_RENAMED: _renamed,
        EventType.TRACK_FINISHED: _finished,
        EventType.CAMERA_ONLINE: lambda data: "online",
        EventType.CAMERA_OFFLINE: lambda data: f"offline: {data['reason']}",
        EventType.CAMERA_GAP: _gap,
        EventType.CAMERA_CUT: _cut,
        EventType.CAMERA_ENDED: _ended,
        EventType.CAMERA_IMGSZ: _imgsz,
        EventType.CAMERA_RATE: lambda data: str(data["advice"]),
        **RULE_WORDS,
    }
)
