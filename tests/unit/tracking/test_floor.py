"""Positions, speeds and distances on the floor, against the arithmetic of a camera and of a walk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.walks import SIZE_PX, Path, frame_of, ground, seen_at, track, walk

from posebus.config.cameras.ground import GroundSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import Renaming, Track, TrackFrame, TrackState
from tracking.ground.floor import Floor
from tracking.ground.pace import UNSEEN_S
from tracking.ground.plane import Plane

WALK_M_S = 1.4
FPS = (5, 10, 15, 30)
NOISE_PX = 2.0
WAYS: dict[str, Path] = {
    "towards the camera": lambda t: (0.5, 15.0 - WALK_M_S * t),
    "across": lambda t: (-3.5 + WALK_M_S * t, 9.0),
    "aslant": lambda t: (-2.5 + 0.6 * WALK_M_S * t, 6.0 + 0.8 * WALK_M_S * t),
}
SECONDS = {"towards the camera": 6.0, "across": 5.0, "aslant": 6.0}


def followed(frames: list[TrackFrame], plane: GroundSettings | None = None) -> list[Track]:
    floor = Floor(plane or ground())
    return [one for frame in frames for one in floor.update(frame).tracks]


def test_the_plane_maps_points_of_the_picture_to_the_floor_exactly() -> None:
    plane = Plane(ground(), SIZE_PX)
    on_floor = np.array([[0.0, 4.0], [-1.5, 7.0], [4.0, 20.0], [0.0, 30.0]])
    found, per_px = plane.positions_m(seen_at(np.column_stack([on_floor, np.zeros(4)])))
    assert found == pytest.approx(on_floor, abs=1e-3)
    step = np.array([[0.0, 7.0, 0.0], [0.0, 7.01, 0.0]])
    px = seen_at(step)
    (one,) = plane.positions_m(px[:1])[1]
    assert one == pytest.approx(0.01 / np.hypot(*(px[1] - px[0])), rel=0.01)
    assert (np.diff(per_px) > 0).sum() == 3  # farther away, a pixel is longer


def test_points_at_and_beyond_the_horizon_have_no_position() -> None:
    plane = Plane(ground(), SIZE_PX)
    horizon_y = 720 / 2 - 1000.0 * np.tan(np.deg2rad(22.0))
    points = np.array([[640.0, horizon_y + 1], [640.0, horizon_y], [640.0, horizon_y - 100], [100.0, horizon_y - 5]])
    assert np.isnan(plane.positions_m(points)[0]).all()
    assert np.isnan(plane.positions_m(points)[1]).all()


def test_a_floor_plan_with_the_other_orientation_and_a_far_origin_gives_the_same_distances() -> None:
    usual = ground()
    mirrored = usual.model_copy(update={"metres": tuple((5000.0 - x, 7000.0 + y) for x, y in usual.metres)})
    points = seen_at(np.array([[0.0, 6.0, 0.0], [1.0, 9.0, 0.0]]))
    first, second = (Plane(one, SIZE_PX).positions_m(points)[0] for one in (usual, mirrored))
    assert np.hypot(*(second[1] - second[0])) == pytest.approx(np.hypot(*(first[1] - first[0])), abs=1e-6)


def test_points_in_parts_of_the_picture_fit_any_size_of_it() -> None:
    parts = GroundSettings(
        points=[(x / SIZE_PX[0], y / SIZE_PX[1]) for x, y in ground().points], metres=ground().metres
    )
    at = seen_at(np.array([[0.5, 8.0, 0.0]]))
    assert Plane(parts, SIZE_PX).positions_m(at)[0] == pytest.approx(np.array([[0.5, 8.0]]), abs=1e-6)
    assert Plane(parts, (640, 360)).positions_m(at / 2)[0] == pytest.approx(np.array([[0.5, 8.0]]), abs=1e-6)


def test_people_outside_the_floor_plan_have_no_position() -> None:
    plan = ground().model_copy(update={"floor_size_m": (3.0, 10.0)})
    inside, beside = (walk(lambda t, x=x: (x, 8.0), 10, 1.0) for x in (2.5, -1.5))
    assert followed(inside, plan)[-1].position_m == pytest.approx((2.5, 8.0), abs=0.1)
    assert followed(beside, plan)[-1].position_m is None


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_walk_has_its_speed_and_distance_at_any_frame_rate(way: str, fps: int) -> None:
    errors = []
    for seed in range(5):
        tracks = followed(walk(WAYS[way], fps, SECONDS[way], noise_px=NOISE_PX, seed=seed))
        settled = [one.speed_m_s for one in tracks if one.age_s >= 1.5]
        assert None not in settled
        assert np.mean(settled) == pytest.approx(WALK_M_S, rel=0.05)
        walked_m = WALK_M_S * tracks[-1].age_s
        assert tracks[-1].distance_m is not None
        errors.append(tracks[-1].distance_m / walked_m - 1)
    assert abs(np.mean(errors)) < 0.05


@pytest.mark.parametrize("fps", FPS)
def test_a_person_who_stands_for_a_minute_walks_nowhere(fps: int) -> None:
    for at in ((0.0, 5.0), (1.0, 9.0), (-2.0, 15.0)):
        tracks = followed(walk(lambda t, at=at: at, fps, 60.0, noise_px=NOISE_PX))
        assert tracks[-1].distance_m is not None
        assert tracks[-1].distance_m < 0.5
        assert np.median([one.speed_m_s for one in tracks if one.speed_m_s is not None]) < 0.1
        assert tracks[-1].position_m == pytest.approx(at, abs=0.4)


def test_a_person_who_stops_and_goes_has_both_speeds() -> None:
    def stop(t: float) -> tuple[float, float]:
        return 0.0, 12.0 - WALK_M_S * (t if t < 3 else 3 if t < 7 else t - 4)

    speeds = {round(one.age_s, 1): one.speed_m_s for one in followed(walk(stop, 10, 10.0, noise_px=NOISE_PX))}
    assert speeds[2.9] == pytest.approx(WALK_M_S, rel=0.2)
    assert speeds[6.0] < 0.25
    assert speeds[9.9] == pytest.approx(WALK_M_S, rel=0.2)


def test_frames_without_a_detection_add_nothing_and_a_position_ends_after_a_while() -> None:
    frames = walk(WAYS["across"], 10, 2.0)
    away = frames[-1].tracks[0].box_xyxy_px + np.float32(150)
    wild = [frame_of([track(away, None, coasted=True)], 20 + step, 2.0 + step / 10) for step in range(20)]
    tracks = followed([*frames, *wild])
    assert tracks[-1].distance_m == tracks[19].distance_m
    assert tracks[20].position_m == pytest.approx((-3.5 + WALK_M_S * 2.0, 9.0), abs=0.15)
    assert [one.position_m is None for one in tracks[20:]] == [(step + 1) / 10 > UNSEEN_S for step in range(20)]
    assert (tracks[-1].speed_m_s, tracks[-1].distance_m) == (None, tracks[19].distance_m)


def test_the_last_message_of_a_track_has_its_distance_and_its_number_is_forgotten() -> None:
    frames = walk(WAYS["across"], 10, 3.0)
    end = replace(frames[-1].tracks[0], state=TrackState.ENDED, coasted=True)
    floor = Floor(ground())
    last = [floor.update(frame) for frame in frames][-1]
    assert floor.update(frame_of([end], 30, 3.0)).tracks[0].distance_m == last.tracks[0].distance_m
    assert len(floor.state_dict()["ids"]) == 0


def test_without_a_ground_plane_frames_stay_as_they_are() -> None:
    floor = Floor(None)
    (frame,) = walk(WAYS["across"], 10, 0.1)
    assert floor.update(frame) is frame


def test_another_ground_plane_is_applied_at_once_and_the_distance_stays() -> None:
    frames = walk(WAYS["across"], 10, 4.0)
    floor = Floor(ground())
    before = [floor.update(frame).tracks[0] for frame in frames[:20]][-1]
    usual = ground()
    floor.use(usual.model_copy(update={"metres": tuple((x + 100, y) for x, y in usual.metres)}))
    after = floor.update(frames[20]).tracks[0]
    assert after.position_m == pytest.approx((100 - 3.5 + WALK_M_S * 2.0, 9.0), abs=0.2)
    assert after.distance_m == before.distance_m
    floor.use(None)
    assert floor.update(frames[21]) is frames[21]


def test_a_tracker_that_takes_over_at_any_frame_continues_with_the_same_numbers() -> None:
    frames = walk(WAYS["aslant"], 10, 4.0, noise_px=NOISE_PX)
    whole = followed(frames)
    for cut in range(0, 40, 7):
        first, second = Floor(ground()), Floor(ground())
        begun = [floor_track for frame in frames[:cut] for floor_track in first.update(frame).tracks]
        second.load_state(unpack_state(pack_state(first.state_dict())))
        rest = [floor_track for frame in frames[cut:] for floor_track in second.update(frame).tracks]
        assert [(one.position_m, one.speed_m_s, one.distance_m) for one in [*begun, *rest]] == [
            (one.position_m, one.speed_m_s, one.distance_m) for one in whole
        ]


def test_a_correction_gives_each_person_the_distance_of_their_own_way() -> None:
    """Number 1 walks by number 2, who stands; there the tracker confuses their numbers for two seconds."""
    walking, standing = walk(WAYS["across"], 10, 5.0), walk(lambda t: (-3.5 + WALK_M_S * 2, 9.2), 10, 5.0)
    floor = Floor(ground())
    for seq, (one, other) in enumerate(zip(walking, standing, strict=True)):
        swapped = 20 <= seq < 40
        numbers = (2, 1) if swapped else (1, 2)
        renamed = (Renaming(1, 2, 20), Renaming(2, 1, 20)) if seq == 40 else ()
        tracks = [replace(people.tracks[0], id=number) for people, number in zip((one, other), numbers, strict=True)]
        found = floor.update(replace(frame_of(tracks, seq, seq / 10), renamed=renamed))
    distances = {one.id: one.distance_m for one in found.tracks}
    assert distances[1] == pytest.approx(WALK_M_S * 4.9, rel=0.1)
    assert distances[2] == pytest.approx(0.0, abs=0.8)
    assert next(one for one in found.tracks if one.id == 1).speed_m_s == pytest.approx(WALK_M_S, rel=0.1)
