"""What limits a deployment, in words: the numbers in the sentences are those of the arithmetic beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posebus.telemetry.bottlenecks import CameraLoad, WorkerLoad, bottlenecks

ALL = {"ingest", "worker", "tracker"}


def cameras(number: int, wanted_fps: float, imgsz: int | None = None) -> list[CameraLoad]:
    return [CameraLoad(f"door-{n}", True, "online", wanted_fps, imgsz) for n in range(number)]


def workers(number: int, fps: float, busy_share: float = 1.0, device: str = "cuda:0") -> list[WorkerLoad]:
    return [WorkerLoad("h", True, fps, busy_share, device) for _ in range(number)]


def test_one_more_worker_serves_as_many_cameras_as_its_frames_are_enough_for() -> None:
    # 24 frames a second serve 2 cameras of 10 and a part of a third one; 48 serve all 4.
    assert bottlenecks(cameras(4, 10), workers(1, 24), ALL) == [
        "engine busy 100 %: one more worker would serve 2 more cameras (24 of 40 frames a second are inferred)"
    ]
    # 2 workers of 12: 24 serve 2 of 5, 36 serve 3.
    (sentence,) = bottlenecks(cameras(5, 10), workers(2, 12, 0.96, "cpu"), ALL)
    assert sentence == (
        "engine busy 96 %: one more worker, on other cores, would serve 1 more camera "
        "(24 of 50 frames a second are inferred)"
    )


def test_workers_of_which_one_serves_no_camera_are_counted() -> None:
    # 20 frames a second are missing, of which a worker brings 8.
    (sentence,) = bottlenecks(cameras(1, 28), workers(1, 8), ALL)
    assert "3 more workers would serve all cameras" in sentence
    assert 8 * (1 + 3) >= 28 > 8 * (1 + 2)


def test_a_fixed_size_that_is_too_large_is_named_with_one_that_fits() -> None:
    _, sentence = bottlenecks(cameras(4, 10, imgsz=1280), workers(1, 24), ALL)
    assert sentence == (
        "1280 px is more than this machine can do for 4 cameras: 800 px would fit, and imgsz: auto finds the size"
    )
    # The cost goes with the area: 24 frames at 1280 are as many pixels as 61 at 800, and as 37 at 1024.
    assert 24 * (1280 / 800) ** 2 * 0.85 > 40 > 24 * (1280 / 1024) ** 2 * 0.85
    _, sentence = bottlenecks(cameras(40, 10, imgsz=640), [*workers(1, 24), WorkerLoad("other", True, 1, 1.0)], ALL)
    assert sentence == "640 px is more than these machines can do for 40 cameras: imgsz: auto finds what fits"


@pytest.mark.parametrize(
    ("some_cameras", "some_workers"),
    [
        (cameras(4, 10), workers(1, 24, busy_share=0.6)),  # the frames are lost elsewhere
        ([*cameras(3, 10), CameraLoad("film", False, "online", 400)], workers(1, 24)),  # a recording takes all there is
        (cameras(4, 10), [*workers(1, 24), WorkerLoad("h", True)]),  # not measured yet
        ([], workers(1, 0)),
        ([replace(one, state="offline") for one in cameras(4, 10)], workers(1, 0)),
    ],
)
def test_it_says_nothing_about_workers_where_they_are_not_the_limit(
    some_cameras: list[CameraLoad], some_workers: list[WorkerLoad]
) -> None:
    assert bottlenecks(some_cameras, some_workers, ALL) == []


def test_workers_that_just_carry_their_cameras_have_no_room() -> None:
    (sentence,) = bottlenecks(cameras(2, 10, imgsz=1280), workers(1, 19.8, 0.97), ALL)
    assert sentence == "engine busy 97 %: the workers carry all cameras, but not one more"


def test_missing_stages_are_named_with_their_command() -> None:
    assert bottlenecks(cameras(1, 5), workers(1, 5, 0.2), {"ingest", "worker"}) == [
        "nothing reads poses: start posebus track"
    ]
    assert bottlenecks(cameras(1, 5), [], {"ingest", "tracker"}) == ["nothing infers frames: start posebus work"]
    assert bottlenecks(cameras(2, 5), workers(1, 5, 0.2), {"worker", "tracker"}) == [
        "nothing reads cameras door-0, door-1: start posebus ingest"
    ]
    keeping = [replace(one, keeps_pictures=True) for one in cameras(1, 5)]
    assert bottlenecks(keeping, workers(1, 5, 0.2), ALL) == [
        "nothing makes the snapshots of camera door-0: start python -m evidence"
    ]
    assert bottlenecks(keeping, workers(1, 5, 0.2), ALL | {"evidence"}) == []
    (starting,) = bottlenecks(cameras(2, 5), [WorkerLoad("h", ready=False)], ALL)
    assert starting.startswith("no worker is ready yet")
    assert bottlenecks([], [], set()) == []


def test_a_camera_that_sends_less_than_it_says_is_named_unless_frames_are_lost_here() -> None:
    door = CameraLoad("door", True, "online", 5, sent_fps=5.0, nominal_fps=25.0)
    assert bottlenecks([door], workers(1, 5, 0.1), ALL) == ["camera door sends 5 of its 25 frames a second"]
    for fine in (replace(door, sent_fps=24.0), replace(door, loses=True), replace(door, nominal_fps=None)):
        assert bottlenecks([fine], workers(1, 5, 0.1), ALL) == []
    many = [replace(door, name=f"c{n}", sent_fps=5.0 + n) for n in range(4)]
    assert bottlenecks(many, workers(1, 5, 0.1), ALL) == [
        "4 cameras send fewer frames than they say; c0 sends 5 of 25 a second"
    ]


def test_the_most_important_sentence_comes_first() -> None:
    some = [replace(one, sent_fps=10.0, nominal_fps=25.0) for one in cameras(2, 10, imgsz=640)]
    starts = [sentence.split()[0] for sentence in bottlenecks(some, workers(1, 5), {"ingest", "worker"})]
    assert starts == ["nothing", "engine", "640", "camera", "camera"]
