"""People count as motion; noise, light, rain and the pulse of compression do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ingest.gate.motion import Motion, MotionModel, cells_of
from posebus.arrays import UInt8Array

FPS = 10
SIZE_CELLS = cells_of((1280, 720))
SCENE = np.random.default_rng(1).uniform(60, 180, SIZE_CELLS[::-1])


def played(
    picture: Callable[[int, np.random.Generator], np.ndarray],
    frames: int,
    *,
    occupied: bool = False,
    model: MotionModel | None = None,
) -> list[Motion]:
    """Return the motion in pictures of SCENE that are changed by `picture` (frame, random numbers)."""
    rng = np.random.default_rng(0)
    model = model or MotionModel()
    found = []
    for frame in range(frames):
        grey = np.clip(np.rint(picture(frame, rng)), 0, 255).astype(np.uint8)
        found.append(model.update(grey, frame * 1_000_000_000 // FPS, occupied=occupied))
    return found


def moving(found: list[Motion]) -> int:
    return sum(one.moving > 0 for one in found)


def person(frame: int, *, begins: int, cells_per_frame: float = 1.0, stops: int = 10**9) -> np.ndarray:
    """SCENE with a person of 3 by 7 cells, 25 levels darker, who walks in from the left."""
    picture = SCENE.copy()
    if frame >= begins:
        left = int(cells_per_frame * (min(frame, stops) - begins))
        picture[20:27, left : left + 3] -= 25
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(lambda _, rng: SCENE + rng.normal(0, 2, SCENE.shape), id="sensor noise"),
        pytest.param(lambda frame, _: SCENE + 0.05 * frame, id="slow light"),
        pytest.param(lambda frame, _: SCENE * (1.0 + 0.1 * (frame >= 50)), id="exposure"),
        pytest.param(lambda frame, rng: SCENE + (3 if frame % 25 == 0 else 0) + rng.normal(0, 1, SCENE.shape), id="I"),
        pytest.param(lambda _, rng: SCENE + 40 * (rng.uniform(size=SCENE.shape) > 0.98), id="rain"),
    ],
)
def test_changes_without_a_person_are_no_motion(picture: Callable[[int, np.random.Generator], np.ndarray]) -> None:
    found = played(picture, 100)
    assert moving(found[10:50]) == 0
    assert moving(found[51:]) <= 3, "a jump of the whole picture may be taken for motion for a moment"


def test_a_person_who_enters_is_motion_in_the_first_picture() -> None:
    found = played(lambda frame, rng: person(frame, begins=30) + rng.normal(0, 1, SCENE.shape), 60)
    assert moving(found[1:30]) == 0
    assert moving(found[30:]) == 30


def test_a_person_who_walks_slowly_is_motion() -> None:
    found = played(lambda frame, _: person(frame, begins=30, cells_per_frame=0.3), 80)
    assert moving(found[31:]) >= 40


def test_a_person_who_stands_still_is_not_absorbed_while_the_scene_is_occupied() -> None:
    model = MotionModel()
    standing = played(lambda frame, _: person(frame, begins=10, stops=30), 400, occupied=True, model=model)
    assert moving(standing[60:]) == 0
    away = model.update(SCENE.astype(np.uint8), 41_000_000_000, occupied=True)
    assert away.moving == 0, "the scene behind was not forgotten"


def test_a_lasting_change_becomes_part_of_the_scene() -> None:
    def picture(frame: int, _: np.random.Generator) -> np.ndarray:
        left_behind = SCENE.copy()
        if frame >= 20:
            left_behind[30:40, 40:50] += 40
        return left_behind

    found = played(picture, 300)
    assert found[20].moving > 0
    assert moving(found[40:]) == 0


def test_switching_a_light_on_starts_a_new_scene() -> None:
    def picture(frame: int, _: np.random.Generator) -> np.ndarray:
        # A lamp, which does not light the picture evenly.
        return SCENE + (frame >= 20) * np.linspace(-60, 60, SIZE_CELLS[0])[None]

    found = played(picture, 40)
    assert found[20].moving == 1.0
    assert moving(found[21:]) == 0


def test_a_restored_model_computes_exactly_the_same() -> None:
    first = MotionModel()
    played(lambda frame, rng: person(frame, begins=5) + rng.normal(0, 3, SCENE.shape), 30, model=first)
    first.mark_inferred()
    second = MotionModel()
    second.load(first.to_bytes())
    rng = np.random.default_rng(7)
    for frame in range(30, 60):
        grey = np.clip(person(frame, begins=5) + rng.normal(0, 3, SCENE.shape), 0, 255).astype(np.uint8)
        one, other = (model.update(grey, frame * 100_000_000, occupied=False) for model in (first, second))
        assert one == other
    assert first.to_bytes() == second.to_bytes()


@pytest.mark.parametrize("state", [b"x", bytes(24), bytes(100), b"\xff" * 30_000])
def test_bytes_that_are_no_state_are_rejected(state: bytes) -> None:
    with pytest.raises(ValueError, match=r"state|buffer"):
        MotionModel().load(state)


def test_change_is_measured_since_the_last_inferred_picture() -> None:
    model = MotionModel()
    picture: UInt8Array = SCENE.astype(np.uint8)
    assert model.update(picture, 0, occupied=False).since_inferred == 1.0, "nothing was inferred yet"
    model.mark_inferred()
    assert model.update(picture, 1, occupied=False).since_inferred == 0.0
    moved = person(10, begins=0).astype(np.uint8)
    assert model.update(moved, 2, occupied=False).since_inferred == pytest.approx(21 / SCENE.size, rel=0.2)


@pytest.mark.parametrize("size_px", [(1920, 1080), (480, 640), (10, 4000), (1, 1)])
def test_small_pictures_keep_their_shape(size_px: tuple[int, int]) -> None:
    width, height = cells_of(size_px)
    assert 3 <= min(width, height) <= max(width, height) <= 96
