"""What a person does for some time: raised hands, running, crouching, and the actions of the classifier. Pure."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from posebus.config.rules.kinds import ActionRule, CrouchRule, HandsUpRule, RunningRule
from tracking.rules.areas.area import Area, is_inside
from tracking.rules.areas.lasting import Lasting, follow
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.bodies.signs import CROUCHING, HANDS_UP, UNSEEN
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

GRACE_NS = nanoseconds(0.5)
"""What stops for less goes on: keypoints are wrong for a moment, and people are hidden for one."""

RUNS_S = 0.25
"""How long a speed, which itself is that over half a second or more, has to last."""

LEAST_HEIGHTS_S, LEAST_M_S, GOES_ON = 1.3, 2.25, 0.85
"""Speeds at which running begins, halfway between walking, up to 2 m/s or 1.15 body heights a second, and running, from
2.5 m/s or 1.45 heights on; and the part of them at which it ends."""


class Doing(ABC):
    """Begins with a person who does something for long enough, and ends when the person no longer does it."""

    def __init__(self, kind: str, for_s: float, points: Sequence[tuple[float, float]] | None, place: Place) -> None:
        self._area = Area(points, place)
        self._detected, self._ended = f"{kind}.detected", f"{kind}.ended"
        self._lasting = Lasting(nanoseconds(for_s), GRACE_NS)

    @abstractmethod
    def doing(self, scene: Scene, memory: Memory) -> Mapping[int, dict[str, Any]]:
        """The rows of people who do it in this frame, with the data of their events."""

    def unseen(self, scene: Scene) -> Collection[int]:
        """The rows of people of whom this frame does not show whether they do it, so that it decides nothing."""
        return ()

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        doing = self.doing(scene, memory)
        if not doing and not memory.tracks:
            return ()
        codes, now_ns, steps = self._area.codes(scene), scene.frame.captured_at_ns, []
        unseen = self.unseen(scene)
        for row, (track_id, one) in enumerate(zip(scene.ids, scene.people, strict=True)):
            state = memory.tracks.get(track_id)
            holds = row in doing and is_inside(codes[row], state is not None)
            if one.coasted or (state is None and not holds):
                continue
            if state is not None and now_ns < state.get("frame_ns", now_ns):
                _put_back(state, state["frame_ns"] - now_ns)
            if state is not None and row in unseen and now_ns - state.get("frame_ns", now_ns) < GRACE_NS:
                continue
            if state is None:
                state = memory.tracks[track_id] = {}
            since_ns = state.get("since_ns", now_ns)
            phase = follow(state, holds, now_ns, state.pop("frame_ns", now_ns), self._lasting)
            if state:
                state["frame_ns"] = now_ns
            else:
                del memory.tracks[track_id]
            if phase is None:
                continue
            if phase is Phase.START:
                data = {"since_ns": since_ns, **doing[row]}
                steps.append(Step(self._detected, phase, track_id, data=data, end_type=self._ended))
            else:
                data = {"since_ns": since_ns, "duration_s": seconds(now_ns - since_ns)}
                steps.append(Step(self._ended, phase, track_id, data=data))
        return steps


def _put_back(state: dict[str, Any], by_ns: int) -> None:
    """Count on from an earlier time, since the camera's clock went back."""
    for name in ("frame_ns", "since_ns", "broken_ns"):
        if name in state:
            state[name] -= by_ns


class _Sign(Doing):
    """A sign of the body that is so or not."""

    def __init__(self, kind: str, sign: int, settings: HandsUpRule | CrouchRule, place: Place) -> None:
        super().__init__(kind, settings.for_s, settings.points, place)
        self._sign = sign

    def doing(self, scene: Scene, memory: Memory) -> Mapping[int, dict[str, Any]]:
        """The rows of people with the sign."""
        values = scene.bodies.signs[self._sign]
        return {row: {} for row, value in enumerate(values) if value > 0.0} if values and max(values) > 0.0 else {}

    def unseen(self, scene: Scene) -> Collection[int]:
        """The rows of people whose joints do not show the sign."""
        return [row for row, value in enumerate(scene.bodies.signs[self._sign]) if value == UNSEEN]


class HandsUp(_Sign):
    """Both wrists higher than the eyes. A wrist that is not seen counts by its elbow.

    One arm is not enough: while the other one is not seen, nothing is decided, and after half a second the hands are
    not up.
    """

    def __init__(self, settings: HandsUpRule, place: Place) -> None:
        super().__init__("hands_up", HANDS_UP, settings, place)


class Crouch(_Sign):
    """Hips close above the feet, and the feet under them."""

    def __init__(self, settings: CrouchRule, place: Place) -> None:
        super().__init__("crouch", CROUCHING, settings, place)


class Runs(Doing):
    """Faster than people walk, in body heights a second, or in metres a second where the camera has a ground plane.

    Who runs goes on until slower than 0.85 of the speed at which running begins.
    """

    def __init__(self, settings: RunningRule, place: Place) -> None:
        super().__init__("running", RUNS_S, settings.points, place)
        self._speed = LEAST_HEIGHTS_S if settings.speed is None else settings.speed
        # A speed in heights that the user set counts also with a ground plane, unless there is one in metres as well.
        self._speed_m_s = LEAST_M_S if settings.speed is None else None
        if settings.speed_m_s is not None:
            self._speed_m_s = settings.speed_m_s

    def doing(self, scene: Scene, memory: Memory) -> Mapping[int, dict[str, Any]]:
        """The rows of people who run, with their speed."""
        found: dict[int, dict[str, Any]] = {}
        speeds, tracks = scene.speeds, memory.tracks
        if not speeds or max(speeds) <= 0.0:
            return found
        for row, (one, heights_s) in enumerate(zip(scene.people, speeds, strict=True)):
            metres_s = one.speed_m_s
            share = GOES_ON if one.id in tracks and "on" in tracks[one.id] else 1.0
            if metres_s is not None and self._speed_m_s is not None and math.isfinite(metres_s):
                if metres_s >= share * self._speed_m_s and heights_s > 0.0:
                    found[row] = {"speed_m_s": round(float(metres_s), 2)}
            elif heights_s >= share * self._speed:
                found[row] = {"speed": round(heights_s, 2)}
        return found


class Action(Doing):
    """One of some actions of the classifier (`Track.action`)."""

    def __init__(self, settings: ActionRule, place: Place) -> None:
        super().__init__("action", settings.for_s, settings.points, place)
        self._labels = frozenset(label.casefold() for label in settings.labels)

    def doing(self, scene: Scene, memory: Memory) -> Mapping[int, dict[str, Any]]:
        """The rows of people whose action is one of the wanted ones, with its name and probability."""
        found: dict[int, dict[str, Any]] = {}
        for row, one in enumerate(scene.people):
            if one.action is None or one.action.casefold() not in self._labels:
                continue
            found[row] = {"action": one.action}
            if one.action_score is not None and math.isfinite(one.action_score):
                found[row]["confidence"] = round(float(one.action_score), 3)
        return found
