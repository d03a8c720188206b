"""Stick figures drawn right into the picture, as tracks, and how many of their falls the rule finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from unit.tracking.rules.stick_figures import FALLS, OTHERS

from posebus.messages import Event, Track, TrackFrame
from tracking.rules import Rules

SIZES_PX = ((640, 480), (1280, 720), (1920, 1080))
RATES = (5.0, 10.0, 15.0, 30.0)
LATE_S, EARLY_S = 3.5, 0.3
"""How long after the end of a fall, and before its start, an event counts as its own."""


@dataclass(frozen=True)
class Look:
    """How figures are drawn: ranges from which a scene draws its own."""

    heights_px: tuple[float, float] = (60.0, 500.0)
    noise_px: float = 3.0
    noise_heights: float = 0.025
    missing: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3)
    rates: tuple[float, ...] = RATES
    tilt_degrees: float = 25.0


LOOK = Look()


@dataclass(frozen=True)
class Drawn:
    """One scene: its frames, the size of its picture, and from when to when the figure falls."""

    frames: list[TrackFrame]
    size_px: tuple[int, int]
    fall_s: tuple[float, float] | None


def drawn(kind: str, seed: int, look: Look = LOOK, fps: float | None = None, *, boxes_only: bool = False) -> Drawn:
    """One scene of a kind of FALLS or OTHERS; figure, view and errors depend on the seed alone, not on `fps`."""
    kinds = FALLS | OTHERS
    rng = np.random.default_rng([seed, list(kinds).index(kind), 5])
    story = kinds[kind](rng)
    size_px = SIZES_PX[rng.integers(len(SIZES_PX))]
    height_px = min(float(np.exp(rng.uniform(*np.log(look.heights_px)))), 0.75 * size_px[1])
    yaw = rng.uniform(0, 360) if rng.random() < 0.6 else float(rng.choice([0.0, 180.0]))
    yaw = np.radians(yaw if story.view is None else story.view)
    tilt = np.radians(rng.uniform(0, look.tilt_degrees))
    foot_px = np.array([rng.uniform(0.4, 0.6) * size_px[0], rng.uniform(0.8, 0.93) * size_px[1]])
    if kind != "drop_out":
        foot_px[1] = min(foot_px[1], size_px[1] - 0.35 * height_px)
    noise_px = rng.uniform(0, min(look.noise_px, look.noise_heights * height_px))
    missing, gone_to_zero = float(rng.choice(look.missing)), rng.random() < 0.5
    rate = float(rng.choice(look.rates)) if fps is None else fps
    margin, limits = rng.uniform(0, 0.05) * height_px, np.array([*size_px, *size_px], float)
    frames = []
    for seq in range(int(story.length_s * rate)):
        body = story.at(seq / rate)
        depth = body[:, 0] * np.sin(yaw) + body[:, 1] * np.cos(yaw)
        right = body[:, 0] * np.cos(yaw) - body[:, 1] * np.sin(yaw)
        up = body[:, 2] * np.cos(tilt) - depth * np.sin(tilt)
        points = foot_px + height_px * np.stack([right, -up], axis=1) + rng.normal(0, noise_px, (17, 2))
        inside = (points >= 0).all(axis=1) & (points < size_px).all(axis=1)
        seen = inside & (rng.random(17) >= missing)
        tracks: tuple[Track, ...] = ()
        if seen.sum() >= 4:
            low, high = points[inside].min(axis=0) - margin, points[inside].max(axis=0) + margin
            box = np.clip([*low, *high], 0.0, limits).astype(np.float32)
            joints = np.concatenate([points, np.where(seen, 0.9, 0.0)[:, None]], axis=1).astype(np.float32)
            if gone_to_zero:
                joints[~seen] = 0.0
            tracks = (Track(1, box, 0.9, None if boxes_only else joints, "confirmed", seq / rate),)
        frames.append(TrackFrame("scene", 1, seq, round(seq / rate * 1e9), size_px, tracks))
    return Drawn(frames, size_px, story.fall_s)


def falls_in(scene: Drawn) -> list[Event]:
    """The events of falls that the rule finds."""
    rules = Rules({"floor": {"kind": "fall", "fallen_s": 2.0}}, "scene", scene.size_px)
    events = [event for frame in scene.frames for event in rules.update(frame)]
    assert rules.problems == {}
    return [event for event in events if event.type == "posebus.fall.detected"]


@dataclass
class Score:
    """Of many scenes."""

    falls: int = 0
    found: int = 0
    false: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, scene: Drawn, name: str) -> None:
        times_s = [event.time_ns / 1e9 for event in falls_in(scene)]
        own = 0
        if scene.fall_s is not None:
            own = int(any(scene.fall_s[0] - EARLY_S <= at <= scene.fall_s[1] + LATE_S for at in times_s))
        self.falls, self.found = self.falls + (scene.fall_s is not None), self.found + own
        self.false += len(times_s) - own
        if len(times_s) > own or own != (scene.fall_s is not None):
            self.wrong.append(name)

    @property
    def recall(self) -> float:
        return self.found / max(self.falls, 1)

    @property
    def precision(self) -> float:
        return self.found / max(self.found + self.false, 1)
