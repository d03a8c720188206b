"""All rules of one camera: they see each frame, and their steps become events. Pure: no Redis, no clock, no logging."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from posebus.config.rules.kinds import KINDS, RuleSettings
from posebus.config.rules.reading import read_rules, rules_to_json
from posebus.errors import ConfigError
from posebus.messages import EndOfStream, Event, TrackFrame
from tracking.rules.base import Phase, Place, Step
from tracking.rules.bodies.kept import Kept
from tracking.rules.clock import Clock, seconds
from tracking.rules.correcting import corrected
from tracking.rules.events import FrameEvents
from tracking.rules.happenings import Orphan, orphans_of
from tracking.rules.opened import OpenRule
from tracking.rules.scene import Scene
from tracking.rules.shapes import ShapeTable
from tracking.rules.sound import sound_frame, sound_time
from tracking.rules.walks import Walks, moved

FORGOTTEN_S = 8.0
"""A track that no frame has mentioned for this long is gone, though its end was never reported; twice as long as the
tracker looks for a lost person by default."""
STATE_VERSION = 1


class Rules:
    """The rules of one camera, by name. `update` takes its frames in order; `problems` says which rules are off."""

    def __init__(
        self, rules: Mapping[str, Any], camera: str, size_px: tuple[int, int], *, skip_wrong: bool = False
    ) -> None:
        """Open the rules, given as in the configuration: `{"gate": {"kind": "line", "points": [...]}}`.

        size_px: (width, height) of the camera's picture, in pixels of the source. Raises ConfigError for a rule that is
        wrong, for example because its points are outside the picture; with `skip_wrong` it goes to `problems` instead.
        """
        self._camera = camera
        self._size_px = size_px
        self._rules: dict[str, OpenRule] = {}
        self._kept = Kept()
        self._seen_ns: dict[int, int] = {}
        self._clock, self._walks = Clock(), Walks()
        self._settings: dict[str, RuleSettings] = {}
        self._parked: dict[str, dict[str, Any]] = {}
        self._orphans: list[Orphan] = []
        self.problems: dict[str, str] = {}
        """Why a rule is off, by its name: one sentence each."""
        self._read(rules, skip_wrong=skip_wrong)
        self._open(skip_wrong=skip_wrong)

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of one frame. `ended_by`: why the tracks ended that the frame ends.

        People with wrong numbers count as not seen (see `sound_frame`), and a frame without a time decides nothing.
        Raises ValueError for a frame of another camera.
        """
        if frame.camera != self._camera:
            raise ValueError(f"a frame of camera {frame.camera!r} was given to the rules of camera {self._camera!r}")
        timed = sound_time(frame)
        if timed is None:
            return []
        if timed.size_px != self._size_px:
            self._resize(timed.size_px)
        scene = Scene(timed, self._kept, self._shapes, ended_by, self._clock, self._walks)
        if not scene.is_sound:
            scene = Scene(sound_frame(timed), self._kept, self._shapes, ended_by, self._clock, self._walks)
        frame = scene.frame
        events = FrameEvents(frame)
        if frame.renamed:
            self._rename(frame, events)
        self._end_orphans(events)
        self._clock.tick(frame.captured_at_ns)
        for name, rule in tuple(self._rules.items()):
            try:
                steps = rule.rule.update(scene, rule.memory)
                if rule.foreign:
                    steps = list(steps)
                    rule.check(steps)
            except Exception as error:  # noqa: BLE001 - of another package, and the tracker must go on
                self.problems[name] = f"rule {name} is off because it failed: {type(error).__name__}: {error}"
                del self._rules[name]
                continue
            if steps:
                self._take(name, rule, steps, events)
        self._forget(scene, ended_by, events)
        return events.made

    def end(self, mark: EndOfStream) -> list[Event]:
        """The events at the end of the source: all that is happening ends."""
        frame = TrackFrame(mark.camera, mark.epoch, mark.seq, mark.captured_at_ns, self._size_px, ())
        events = FrameEvents(frame)
        for name, rule in self._rules.items():
            self._take(name, rule, list(rule.happenings.ended_with(None, {"reason": "source ended"})), events)
            rule.memory.tracks.clear()
            rule.stepped.clear()
        self._parked.clear()
        self._kept.replace({})
        self._seen_ns.clear()
        self._walks.load_state({})
        return events.made

    def state_dict(self) -> dict[str, Any]:
        """What the rules remember, as JSON values."""
        settings = rules_to_json(self._settings)
        rules = {name: {"settings": settings[name], **rule.state_dict()} for name, rule in self._rules.items()}
        return {
            "version": STATE_VERSION,
            "size_px": list(self._size_px),
            "rules": {**self._parked, **rules},
            "orphans": [list(one) for one in self._orphans],
            "clock": self._clock.state_dict(),
            "walks": self._walks.state_dict(),
            "shared": {str(track_id): memory for track_id, memory in self._kept.by_id.items()},
            "seen_ns": {str(track_id): time_ns for track_id, time_ns in self._seen_ns.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`; rules with other settings than then begin anew, and what was happening by them ends.

        Raises KeyError, TypeError or ValueError for an invalid state.
        """
        try:
            self._load(state)
        except AttributeError as error:  # a list or a number where a mapping is expected
            raise TypeError(str(error)) from None

    def _load(self, state: Mapping[str, Any]) -> None:
        if state["version"] != STATE_VERSION:
            raise ValueError(
                f"the state of rules has the version {state['version']}, this program reads {STATE_VERSION}"
            )
        settings = rules_to_json(self._settings)
        self._orphans = [Orphan(*one) for one in state["orphans"]]
        for name, found in state["rules"].items():
            rule = self._rules.get(name)
            if json.dumps(found["settings"]) != json.dumps(settings.get(name)):
                self._orphans += orphans_of(name, found)
            elif rule is None:
                self._parked[name] = dict(found)  # off for the moment, such as in a picture of another size
            else:
                self._parked.pop(name, None)
                rule.load_state(found)
        self._clock.load_state(state["clock"])
        self._walks.load_state(state["walks"])
        self._kept.replace({int(track_id): memory for track_id, memory in state["shared"].items()})
        self._seen_ns = {int(track_id): int(time_ns) for track_id, time_ns in state["seen_ns"].items()}

    def _read(self, rules: Mapping[str, Any], *, skip_wrong: bool) -> None:
        if not skip_wrong:
            self._settings = dict(read_rules(rules))
            return
        for name, values in rules.items():
            try:
                self._settings.update(read_rules({name: values}))
            except ConfigError as error:
                self.problems[name] = str(error)

    def _open(self, *, skip_wrong: bool) -> None:
        self._shapes = ShapeTable()
        for name, settings in self._settings.items():
            try:
                self._rules[name] = OpenRule(name, settings, Place(self._camera, name, self._size_px, self._shapes))
            except ConfigError as error:
                if not skip_wrong:
                    raise
                self.problems[name] = str(error)

    def _end_orphans(self, events: FrameEvents) -> None:
        """End what was happening by rules that are gone or have other settings."""
        for one in self._orphans:
            data = {**_lasted(one.began_at_ns, events.frame), "reason": "rules changed"}
            step = Step(one.end_type, Phase.END, one.track_id, one.key, data)
            events.add(one.rule, one.kind, step, one.happening, own_type=one.kind not in KINDS)
        self._orphans.clear()

    def _resize(self, size_px: tuple[int, int]) -> None:
        """Go on with pictures of another size: zones given in pixels stay at their pixels."""
        state = self.state_dict()
        self._size_px = size_px
        self._rules.clear()
        self.problems = {name: text for name, text in self.problems.items() if name not in self._settings}
        self._open(skip_wrong=True)
        self.load_state(state)

    def _take(self, name: str, rule: OpenRule, steps: Iterable[Step], events: FrameEvents) -> None:
        for step in steps:
            happening = rule.happenings.take(step, events.frame)
            if step.track_id is not None:
                rule.stepped[step.track_id] = events.frame.seq
            if happening is not None:
                if step.phase is Phase.END:
                    step = replace(step, data={**_lasted(happening.began_at_ns, events.frame), **step.data})
                events.add(name, rule.kind, step, happening.happening, own_type=rule.foreign)

    def _rename(self, frame: TrackFrame, events: FrameEvents) -> None:
        for name, rule in self._rules.items():
            steps = list(corrected(frame.renamed, rule.memory, rule.happenings, rule.stepped))
            self._take(name, rule, steps, events)
        new_ids = {one.from_id: one.to_id for one in frame.renamed}
        self._kept.replace(moved(self._kept.by_id, new_ids))
        self._seen_ns = moved(self._seen_ns, new_ids)
        self._walks.rename(new_ids)

    def _forget(self, scene: Scene, ended_by: str, events: FrameEvents) -> None:
        """End what happened to tracks that have ended, and delete what is known of them."""
        now_ns = scene.frame.captured_at_ns
        self._seen_ns.update(dict.fromkeys(scene.ids, now_ns))
        self._seen_ns.update(dict.fromkeys(scene.lost_ids, now_ns))
        gone = list(scene.ended_ids)
        if len(self._seen_ns) > len(scene.ids) + len(scene.lost_ids):
            limit_ns = now_ns - round(FORGOTTEN_S * 1e9)
            gone += [track_id for track_id, seen_ns in self._seen_ns.items() if seen_ns < limit_ns]
            for track_id, seen_ns in self._seen_ns.items():
                if seen_ns > now_ns:  # the camera's clock went back
                    self._seen_ns[track_id] = now_ns
        if not gone:
            return
        for name, rule in self._rules.items():
            self._take(name, rule, list(rule.happenings.ended_with(gone, {"reason": ended_by})), events)
            for track_id in gone:
                rule.memory.tracks.pop(track_id, None)
                rule.stepped.pop(track_id, None)
        self._walks.forget(gone)
        self._kept.forget(gone)
        for track_id in gone:
            self._seen_ns.pop(track_id, None)


def _lasted(began_at_ns: int, frame: TrackFrame) -> dict[str, Any]:
    """What the event at the end of a happening says about its time; the camera's clock may have gone back since."""
    since_ns = min(began_at_ns, frame.captured_at_ns)
    return {"since_ns": since_ns, "duration_s": seconds(frame.captured_at_ns - since_ns)}
