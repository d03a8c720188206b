"""The clothes of synthetic people differ as much as those of people in recordings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.common.hota import matched
from benchmarks.scenes.scene import STREET, scene
from benchmarks.tracking.clothes import dressed
from posebus.contract.appearance import SIZE, split


def test_a_person_looks_like_itself_later_and_unlike_others() -> None:
    kind = replace(STREET, seconds=0.6)
    frames, truth = scene(kind, 1)
    first, again = dressed(kind, 1, frames), dressed(kind, 1, frames)
    rows: list[tuple[int, np.ndarray]] = []
    for frame, same in zip(first, again, strict=True):
        assert frame.appearance is not None
        assert frame.appearance.shape == (len(frame.scores), SIZE)
        assert same.appearance is not None
        assert frame.appearance.tobytes() == same.appearance.tobytes()
        corners = frame.boxes_xyxy_px
        people = truth[frame.seq + 1]
        pairs = matched(people, np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]]))
        whole = split(frame.appearance)[1].min(axis=1) > 0.8
        rows += [(people[person][0], frame.appearance[row]) for person, row in pairs if whole[row]]
    ids = np.array([number for number, _ in rows])
    features = split(np.array([row for _, row in rows]))[0].reshape(len(rows), -1)
    alike = features @ features.T / 4
    same_person = ids[:, None] == ids
    assert len(set(ids)) >= 3
    assert np.median(alike[same_person]) > np.quantile(alike[~same_person], 0.9)
