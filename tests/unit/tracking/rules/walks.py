"""Scripted walks with known truth: tracks of people whose feet follow arithmetic paths, sampled at any frame rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from unit.tracking.scenes import STANDING

from posebus.contract.events.rule_events import RULE_EVENTS
from posebus.messages import Event, EventType, Renaming, Track, TrackFrame, TrackState
from tracking.rules import Rules

SIZE_PX = (640, 480)
HEIGHT_PX = 120.0
NS_PER_S = 1_000_000_000

Path = Callable[[float], tuple[float, float]]
"""Where the feet are at a time in seconds."""


@dataclass(frozen=True)
class Walker:
    """A person: where the feet are, and when; `missing` are the joints that are not seen at a time."""

    path: Path
    begin_s: float = 0.0
    end_s: float = 1e9
    height_px: float = HEIGHT_PX
    hidden: Sequence[tuple[float, float]] = ()
    """Intervals in which the track is lost."""
    missing: Callable[[float], Sequence[int]] = field(default=lambda time_s: ())


def along(*points: tuple[float, float, float]) -> Path:
    """The path through points (time in seconds, x, y), straight between them and still before and after."""
    times, xs, ys = zip(*points, strict=True)
    return lambda time_s: (float(np.interp(time_s, times, xs)), float(np.interp(time_s, times, ys)))


def track(
    number: int,
    feet: tuple[float, float],
    height_px: float = HEIGHT_PX,
    *,
    state: str = TrackState.CONFIRMED,
    missing: Sequence[int] = (),
    coasted: bool = False,
) -> Track:
    """A standing person with these feet; the soles are where the box ends."""
    width = 0.4 * height_px
    box = np.array([feet[0] - width / 2, feet[1] - height_px, feet[0] + width / 2, feet[1]])
    joints = np.concatenate([box[:2] + STANDING * (width, height_px), np.full((17, 1), 0.9)], axis=1)
    joints[[15, 16], 1] = feet[1] - 0.039 * height_px  # ankles are above the sole
    joints[list(missing), 2] = 0.1
    return Track(number, box.astype(np.float32), 0.9, joints.astype(np.float32), state, 1.0, coasted=coasted)


def frame(time_s: float, seq: int, tracks: Iterable[Track] = (), renamed: Sequence[Renaming] = ()) -> TrackFrame:
    return TrackFrame("yard", 1, seq, round(time_s * NS_PER_S), SIZE_PX, tuple(tracks), renamed=tuple(renamed))


def filmed(
    walkers: Sequence[Walker], seconds: float, fps: float, *, sigma_px: float = 0.0, seed: int = 0, first_s: float = 0.0
) -> list[TrackFrame]:
    """Frames of the walkers, numbered from 1; a walker who is gone is reported as ended once."""
    rng = np.random.default_rng(seed)
    frames = []
    alive: set[int] = set()
    for seq in range(round(seconds * fps) + 1):
        time_s = first_s + seq / fps
        tracks = []
        for number, walker in enumerate(walkers, start=1):
            if walker.begin_s <= time_s < walker.end_s:
                lost = any(begin <= time_s < end for begin, end in walker.hidden)
                state = TrackState.LOST if lost else TrackState.CONFIRMED
                x, y = walker.path(time_s) + rng.normal(0, 1, 2) * sigma_px
                tracks.append(track(number, (x, y), walker.height_px, state=state, missing=walker.missing(time_s)))
                alive.add(number)
            elif number in alive:
                tracks.append(track(number, walker.path(walker.end_s), walker.height_px, state=TrackState.ENDED))
                alive.remove(number)
        frames.append(frame(time_s, seq, tracks))
    return frames


def rules_of(**rules: Mapping[str, Any]) -> Rules:
    return Rules({name: dict(rule) for name, rule in rules.items()}, "yard", SIZE_PX)


def events_of(rules: Rules, frames: Iterable[TrackFrame]) -> list[Event]:
    """The events of all frames; none of the rules may fail, and their fields are those of the table."""
    events = [event for one in frames for event in rules.update(one)]
    assert rules.problems == {}
    for event in events:
        assert set(event.data) <= set(RULE_EVENTS[EventType(event.type)].data), event.type
    return events


def kinds(events: Iterable[Event]) -> list[tuple[str, int | None]]:
    """Type, without its beginning, and track of each event."""
    return [(event.type.removeprefix("posebus."), event.data["track_id"]) for event in events]


def at_s(event: Event) -> float:
    return event.time_ns / NS_PER_S


def since_s(event: Event) -> float:
    return float(event.data["since_ns"]) / NS_PER_S


def shifted(frames: Iterable[TrackFrame], seconds: float) -> list[TrackFrame]:
    """The same frames later."""
    return [replace(one, captured_at_ns=one.captured_at_ns + round(seconds * NS_PER_S)) for one in frames]
