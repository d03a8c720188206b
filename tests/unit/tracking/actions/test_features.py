"""Features of postures and motions whose values follow from arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.actions.bodies import STATURE, body, windows

from tracking.actions.base import Windows
from tracking.actions.features import NAMES, features_of


def values(given: Windows) -> dict[str, float]:
    return dict(zip(NAMES, features_of(given).values[0].tolist(), strict=True))


def test_a_straight_body() -> None:
    found = values(windows([0.0], [body()]))
    assert found["trunk_up"] == pytest.approx(1.0)
    assert found["trunk_across"] == pytest.approx(0.0, abs=1e-6)
    assert found["knee_max"] == pytest.approx(-1.0)
    assert found["hips_over_feet"] == pytest.approx(1.0, abs=1e-3)
    assert found["has_descent"] == 1.0
    assert features_of(windows([0.0], [body()])).stature_px[0] == pytest.approx(STATURE, rel=1e-3)


def test_thighs_and_shanks_at_right_angles() -> None:
    found = values(windows([0.0], [body(thigh=np.pi / 2, knee=np.pi / 2)]))
    assert found["thigh_down_max"] == pytest.approx(0.0, abs=1e-3)
    assert found["thigh_across_min"] == pytest.approx(1.0, rel=1e-3)
    assert found["shank_down_min"] == pytest.approx(1.0, rel=1e-3)
    assert found["knee_min"] == pytest.approx(0.0, abs=1e-3)
    assert found["hips_over_feet"] == pytest.approx(0.246 / 0.491, abs=1e-3)
    assert found["has_descent"] == 0.0


def test_place_size_and_side_do_not_matter() -> None:
    times = np.arange(9) / 8
    poses = [body(thigh=0.5 * np.sin(6 * at), knee=0.6, lean=0.3, at=(300 + 40 * at, 300)) for at in times]
    moved = [pose * np.float32([-3, 3, 1]) + np.float32([900, 50, 0]) for pose in poses]
    one, other = values(windows(times, poses)), values(windows(times, moved))
    for name in NAMES:
        assert one[name] == pytest.approx(other[name], abs=1e-3), name


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_velocities_are_statures_of_elapsed_seconds(fps: int) -> None:
    times = np.arange(2 * fps + 1) / fps
    found = values(windows(times, [body(at=(100 + 0.5 * STATURE * at, 300)) for at in times]))
    assert found["across_per_s"] == pytest.approx(0.5, rel=1e-3)
    assert found["speed"] == pytest.approx(0.5, rel=1e-3)
    assert found["up_per_s"] == pytest.approx(0.0, abs=1e-6)
    assert found["bounce"] == pytest.approx(0.0, abs=1e-6)


def test_the_fastest_way_down_is_remembered_until_the_person_is_upright_again() -> None:
    times = np.arange(0, 1.01, 0.1)
    falling = [body(lean=1.4, thigh=-1.4, at=(300, 300 + 0.6 * STATURE * min(at, 0.5))) for at in times]
    down = features_of(windows(times, falling, stature_px=STATURE, descent=0.0))
    centre_px = 0.6 * STATURE
    assert down.descent[0] == pytest.approx(centre_px / STATURE, rel=1e-2)
    still = features_of(windows([2.0, 2.5], [falling[-1]] * 2, stature_px=STATURE, descent=float(down.descent[0])))
    assert still.descent[0] == pytest.approx(down.descent[0])
    upright = features_of(windows([3.0, 3.5], [body()] * 2, stature_px=STATURE, descent=float(down.descent[0])))
    assert upright.descent[0] == pytest.approx(0.0, abs=1e-6)


def test_a_person_who_was_never_upright_has_no_known_descent() -> None:
    lying = body(lean=1.5, thigh=-1.5)
    assert np.isnan(features_of(windows([0.0, 0.5], [lying, lying])).descent[0])


def test_missing_joints_are_named_and_make_nothing_infinite() -> None:
    whole = body()
    for missing, name in ((range(13, 15), "has_thigh"), (range(15, 17), "has_shank"), (range(5), "has_head")):
        pose = whole.copy()
        pose[list(missing)] = 0.0
        found = values(windows([0.0, 0.2], [pose, pose]))
        assert found[name] == 0.0
        assert all(np.isfinite(value) for value in found.values())
    nothing = np.zeros_like(whole)
    assert all(np.isfinite(value) for value in values(windows([0.0, 0.2], [nothing, nothing])).values())


def test_the_remembered_stature_holds_while_a_body_points_towards_the_camera() -> None:
    short = body() * np.float32([0.4, 0.4, 1])
    short[5:7] = short[11:13]  # the trunk points towards the camera
    kept = features_of(windows([0.0], [short], stature_px=STATURE)).stature_px[0]
    assert kept > 0.98 * STATURE
