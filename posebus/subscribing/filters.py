"""Which messages of the selected cameras and kinds a subscription gives out: by type of event, rule and track. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from posebus.messages import Event, PoseFrame, TrackFrame
from posebus.subscribing.subscription import Message

DEFAULT_KINDS = ("tracks", "events")
EVENTS_ONLY = ("events",)
_NAMING = ("track_id", "other_track_id", "renamed_to")
"""Fields of the data of events that name a track."""


class Filters(TypedDict, total=False):
    """The filters of a subscription; each that is given narrows what the others leave.

    types: types of events, such as `posebus.fall.detected`; with a `*` at the end, all that begin so. rules: names of
    rules, for the events of these. Both are about events alone: frames that are asked for by `kinds` come as well.
    tracks: numbers of tracks, of every selected camera: events about one of them, and frames that have one of them,
    without their other tracks.
    """

    types: Sequence[str] | None
    rules: Sequence[str] | None
    tracks: Sequence[int] | None


def kinds_of(kinds: Sequence[str] | None, filters: Filters) -> Sequence[str]:
    """The kinds of messages where none may be given: a filter that is about events alone asks for events alone."""
    if kinds is not None:
        return kinds
    return EVENTS_ONLY if filters.get("types") is not None or filters.get("rules") is not None else DEFAULT_KINDS


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """The filters of a subscription, checked; None stands for all."""

    types: tuple[str, ...] | None = None
    rules: frozenset[str] | None = None
    tracks: frozenset[int] | None = None

    @classmethod
    def of_events(cls, types: Sequence[str] | None, rules: Sequence[str] | None) -> MessageFilter:
        """The filter of a sink, whose other messages all pass. Raises ValueError for a wrong one."""
        return cls.checked(EVENTS_ONLY, {"types": types, "rules": rules})

    @classmethod
    def checked(cls, kinds: Sequence[str], filters: Filters) -> MessageFilter:
        """The filter of these values. Raises ValueError for a wrong one, and TypeError for a wrong name."""
        unknown = sorted(set(filters) - Filters.__optional_keys__)
        if unknown:
            raise TypeError(f"unknown argument {', '.join(unknown)}: filters are types, rules and tracks")
        types, rules = _texts("types", filters.get("types")), _texts("rules", filters.get("rules"))
        tracks = _numbers(filters.get("tracks"))
        for one in types or ():
            if "*" in one[:-1]:
                raise ValueError(f"the type {one!r} has a * before its end: it may only be the last character")
        if "events" not in kinds and (types is not None or rules is not None):
            name = "types" if types is not None else "rules"
            raise ValueError(f"{name} is a filter of events: add events to kinds, or leave out {name}")
        if "poses" in kinds and tracks is not None:
            raise ValueError("poses have no numbers of tracks: leave poses out of kinds, or leave out tracks")
        return cls(types, None if rules is None else frozenset(rules), tracks)

    def apply(self, message: Message) -> Message | None:
        """The part of `message` that passes; None if nothing does."""
        body = message.body
        if isinstance(body, Event):
            return message if self.missed(body) is None else None
        if isinstance(body, PoseFrame) or self.tracks is None:
            return message
        narrowed = _narrowed(body, self.tracks)
        return None if narrowed is None else replace(message, body=narrowed)

    def missed(self, event: Event) -> str | None:
        """The name of the first filter that the event does not pass; None if it passes all."""
        if self.types is not None and not any(_matches(event.type, one) for one in self.types):
            return "types"
        if self.rules is not None and not (_is_text(rule := event.data.get("rule")) and rule in self.rules):
            return "rules"
        named = [event.data.get(name) for name in _NAMING]
        if self.tracks is not None and not any(isinstance(one, int) and one in self.tracks for one in named):
            return "tracks"
        return None


def _narrowed(frame: TrackFrame, numbers: frozenset[int]) -> TrackFrame | None:
    """The frame with these tracks, and the corrections that concern them, alone; None without any."""
    tracks = tuple(track for track in frame.tracks if track.id in numbers)
    renamed = tuple(one for one in frame.renamed if {one.from_id, one.to_id} & numbers)
    return replace(frame, tracks=tracks, renamed=renamed) if tracks or renamed else None


def _matches(type_: str, wanted: str) -> bool:
    return type_.startswith(wanted[:-1]) if wanted.endswith("*") else type_ == wanted


def _texts(name: str, values: Any) -> tuple[str, ...] | None:
    if values is None:
        return None
    if _is_text(values):
        raise ValueError(f"{name} must be a list, not the text {values!r}")
    found = tuple(values)
    if not found or not all(_is_text(one) and one for one in found):
        raise ValueError(f"{name} must be a list of one or more texts, not {values!r}")
    return found


def _numbers(values: Any) -> frozenset[int] | None:
    if values is None:
        return None
    found = () if _is_text(values) or not hasattr(values, "__iter__") else tuple(values)
    if not found or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in found):
        raise ValueError(f"tracks must be a list of one or more whole numbers from 0, not {values!r}")
    return frozenset(found)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
