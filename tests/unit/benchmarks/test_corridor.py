"""The simulated day in a corridor: passages, light, noise and ground truth."""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.common.mot import Rows
from benchmarks.common.options import even_size_px
from benchmarks.corridor.clip import Passage, passages, person_mask
from benchmarks.corridor.day import OCCUPIED, Visit, schedule, truth_lines
from benchmarks.corridor.light import LAMP_OFF_H, LAMP_ON_H, SensorNoise, lamp_field, light_at, lit

BOX = (1, 50.0, 40.0, 20.0, 60.0)


def test_passage_lies_between_two_long_pauses_with_a_margin() -> None:
    rows: Rows = {frame: [BOX] for frame in [*range(20, 31), *range(34, 41), *range(80, 101)]}
    assert passages(rows, 103, fps=10.0) == [Passage(14, 46), Passage(74, 103)]
    assert passages({}, 103, fps=10.0) == []


@pytest.mark.parametrize("seed", range(5))
def test_schedule_fills_a_tenth_of_the_day_with_all_passages(seed: int) -> None:
    found = [Passage(1, 100), Passage(150, 350), Passage(400, 480)]
    frames, empty = 9000, 50
    visits = schedule(found, frames, empty, np.random.default_rng(seed))
    shown = sum(visit.passage.frames for visit in visits)
    assert OCCUPIED * frames - 81 < shown <= OCCUPIED * frames
    assert visits[0].begin > empty
    assert visits[-1].end <= frames - empty
    pairs = pairwise(visits)
    assert all(after.begin - before.end > empty for before, after in pairs)
    assert {visit.passage for visit in visits[:3]} == set(found)
    assert visits == schedule(found, frames, empty, np.random.default_rng(seed))


def test_short_day_has_one_visit_and_too_short_a_day_is_rejected() -> None:
    visits = schedule([Passage(1, 100), Passage(150, 350)], 400, 20, np.random.default_rng(1))
    assert [visit.passage for visit in visits] == [Passage(1, 100)]
    with pytest.raises(SystemExit, match="too short"):
        schedule([Passage(1, 100)], 120, 20, np.random.default_rng(1))
    with pytest.raises(SystemExit, match="no passage"):
        schedule([], 1000, 20, np.random.default_rng(1))


def test_repeated_visit_gets_new_identities() -> None:
    rows: Rows = {5: [BOX], 6: [(1, 52.0, 40.0, 20.0, 60.0), (2, 0.0, 0.0, 5.0, 9.0)]}
    lines = list(truth_lines([Visit(10, Passage(5, 6)), Visit(30, Passage(5, 6))], rows, 2.0))
    assert lines[0] == "10,1,100.00,80.00,40.00,120.00,1,-1,-1,-1\n"
    assert [line.split(",")[:2] for line in lines] == [
        ["10", "1"],
        ["11", "1"],
        ["11", "2"],
        ["30", "3"],
        ["31", "3"],
        ["31", "4"],
    ]


def test_noon_is_bright_and_the_lamp_is_on_at_night_only() -> None:
    rng = np.random.default_rng(1)
    noon, night = light_at(12.0, rng), light_at(23.0, rng)
    assert noon.lamp == 0 < night.lamp
    assert night.day[1] < 0.3 < noon.day[1]
    assert light_at(LAMP_ON_H - 0.01, rng).lamp == light_at(LAMP_OFF_H + 0.01, rng).lamp == 0
    assert noon.darkness < night.darkness
    field = lamp_field((40, 30))
    picture = lit(np.full((30, 40, 3), 100, np.uint8), night, field)
    assert picture.shape == (30, 40, 3)
    assert picture[6, 20].min() > picture[29, 0].max()


def test_noise_grows_in_the_dark_and_differs_between_pictures() -> None:
    noise = SensorNoise((64, 48), np.random.default_rng(1))
    bright, other, dark = noise.next(0.0), noise.next(0.0), noise.next(1.0)
    assert 1.5 < float(bright.std()) < 2.5 < 3.5 < float(dark.std()) < 5.5
    assert not np.array_equal(bright, other)


def test_mask_covers_the_box_and_changed_pixels_outside_it() -> None:
    plate = np.full((120, 160, 3), 90, np.uint8)
    picture = plate.copy()
    picture[70:100, 120:150] = 200
    mask = person_mask(picture, plate, [BOX])
    assert mask.shape == (120, 160)
    assert mask[70, 60] > 0.99
    assert mask[85, 135] > 0.99
    assert mask[10, 150] < 0.01


def test_size_of_the_day_must_be_two_even_numbers() -> None:
    assert even_size_px("1280x720") == (1280, 720)
    for text in ("1280", "1281x720", "x", "axb"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a size"):
            even_size_px(text)
