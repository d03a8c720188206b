"""The actions of a camera's tracks: which moments are remembered, when people are classified, what is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from posebus.messages import Renaming, Track, TrackFrame, TrackState
from tracking.actions.base import OTHER, ActionClassifier
from tracking.actions.people import Performer, person_of, seen_pose, windows_of

SMOOTHED_S = 0.5
"""Probabilities are averaged over about this time, so that an action does not flicker."""

LEAST_SCORE = 0.5
"""Of the smoothed probability of a reported action."""

KEPT_S = 1.5
"""After this long without joints, no action is reported."""

FORGOTTEN_S = 60.0
MAX_PEOPLE = 300
"""Tracks that are not reported for so long, and the oldest of more than so many, are forgotten."""

LONG_AGO_S = 10.0
"""Moments before a pause of this length say nothing about what a person does now."""


class Actions:
    """Adds actions to the frames of one camera. Pure: times are those of the frames."""

    def __init__(self, classifier: ActionClassifier, setting: str = "") -> None:
        """`setting` tells classifiers apart in snapshots."""
        self.setting = setting
        self._classifier = classifier
        self._people: dict[int, Performer] = {}
        self._epoch = -1
        self._sampled_s = float("-inf")

    def update(self, frame: TrackFrame) -> TrackFrame:
        """Return `frame` with the actions of its tracks. Frames come in order; coordinates are square pixels."""
        at_s = frame.captured_at_ns / 1e9
        if frame.epoch != self._epoch or at_s < self._sampled_s:
            self._epoch, self._sampled_s, self._people = frame.epoch, float("-inf"), {}
        self._rename(frame.renamed)
        # All people are sampled in the same frames, so that one call classifies all of them.
        if frame.inferred and at_s - self._sampled_s >= self._classifier.sample_s - 1e-3:
            self._sample(frame, at_s)
        tracks = tuple(self._reported(track, at_s) for track in frame.tracks)
        for track in frame.tracks:
            if track.state == TrackState.ENDED:
                self._people.pop(track.id, None)
        return replace(frame, tracks=tracks)

    def state_dict(self) -> dict[str, Any]:
        """What the next frames need: at most `MAX_PEOPLE` people of a few kB each."""
        return {
            "setting": self.setting,
            "epoch": self._epoch,
            "sampled_s": self._sampled_s,
            "people": {str(number): person.state() for number, person in self._people.items()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict`. The state of another classifier is left alone; raises KeyError, TypeError or ValueError
        for one of another version."""
        if state["setting"] != self.setting:
            return
        samples, labels = self._classifier.samples, len(self._classifier.labels)
        people = {int(number): person_of(one, samples, labels) for number, one in state["people"].items()}
        self._epoch, self._sampled_s, self._people = int(state["epoch"]), float(state["sampled_s"]), people

    def _rename(self, renamed: tuple[Renaming, ...]) -> None:
        moved = {one.to_id: self._people.pop(one.from_id) for one in renamed if one.from_id in self._people}
        self._people |= moved

    def _sample(self, frame: TrackFrame, at_s: float) -> None:
        self._sampled_s = at_s
        due = []
        for track in frame.tracks:
            pose_px = seen_pose(track)
            if pose_px is None:
                continue
            person = self._people.get(track.id)
            if person is None or at_s - person.at_s[-1] > LONG_AGO_S:
                person = self._people[track.id] = Performer()
            person.add(at_s, pose_px, self._classifier.samples)
            if at_s - person.classified_s >= self._classifier.every_s - 1e-3:
                due.append(person)
        if due:
            self._classify(due, at_s, frame.size_px)
        old = [number for number, person in self._people.items() if at_s - person.at_s[-1] > FORGOTTEN_S]
        newest = sorted(self._people, key=lambda number: -self._people[number].at_s[-1])
        for number in {*old, *newest[MAX_PEOPLE:]}:
            del self._people[number]

    def _classify(self, due: list[Performer], at_s: float, size_px: tuple[int, int]) -> None:
        answer = self._classifier.classify(windows_of(due, at_s, size_px))
        for row, person in enumerate(due):
            found = answer.probabilities[row]
            if len(person.probabilities):
                part = 1.0 - np.exp(-(at_s - person.classified_s) / SMOOTHED_S)
                found = person.probabilities + part * (found - person.probabilities)
            person.probabilities, person.classified_s = found, at_s
            person.stature_px, person.descent = float(answer.stature_px[row]), float(answer.descent[row])

    def _reported(self, track: Track, at_s: float) -> Track:
        person = self._people.get(track.id)
        if person is None or not len(person.probabilities) or at_s - person.at_s[-1] > KEPT_S:
            return track
        best = int(person.probabilities.argmax())
        label, score = self._classifier.labels[best], float(person.probabilities[best])
        if label == OTHER or score < LEAST_SCORE:
            return track
        return replace(track, action=label, action_score=score)
