from __future__ import annotations

import json

import numpy as np
import pytest

from posebus.messages import PoseFrame, Probe
from posebus.views import View
from tracking.policies.fixed_size import SizeCheck


def boxes(people: int, height_px: float) -> np.ndarray:
    return np.array([[50.0 * one, 100.0, 50.0 * one + 30, 100 + height_px] for one in range(people)], np.float32)


def frame(found: int, larger: int | None, height_px: float = 80.0) -> PoseFrame:
    probes: tuple[Probe, ...] = ()
    if larger is not None:
        probes = (Probe(View(1280), boxes(larger, height_px).reshape(-1, 4), np.full(larger, 0.8, np.float32)),)
    return PoseFrame(
        "door",
        1,
        0,
        0,
        (768, 576),
        boxes(found, height_px).reshape(-1, 4),
        np.full(found, 0.8, np.float32),
        None,
        probes=probes,
    )


def test_advice_says_how_many_more_people_the_larger_size_finds() -> None:
    check = SizeCheck(640)
    assert check.update(frame(1, 7))
    assert check.advice == ("at 1280 px about 7 times as many people are found; leave out --imgsz, or use --imgsz 1280")
    assert check.update(frame(5, 5))
    assert check.advice == "at 1280 px about 2 times as many people are found; leave out --imgsz, or use --imgsz 1280"


def test_people_found_where_the_fixed_size_finds_none() -> None:
    check = SizeCheck(640)
    check.update(frame(0, 4))
    assert check.advice is not None
    assert check.advice.startswith("at 1280 px people are found where 640 px finds none")


@pytest.mark.parametrize(("found", "larger", "height_px"), [(5, 5, 80.0), (4, 5, 80.0), (2, 5, 400.0), (0, 0, 80.0)])
def test_no_advice_if_few_are_missed_or_for_another_reason_than_their_size(
    found: int, larger: int, height_px: float
) -> None:
    check = SizeCheck(640)
    check.update(frame(found, larger, height_px))
    assert check.advice is None


def test_frames_that_were_not_checked_change_nothing_and_the_state_survives() -> None:
    check = SizeCheck(640)
    assert not check.update(frame(3, None))
    check.update(frame(1, 7))
    again = SizeCheck(640)
    again.load_state(json.loads(json.dumps(check.state_dict())))
    assert again.advice == check.advice is not None
