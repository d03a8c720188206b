"""Whether a camera's rate of inferred frames lets people be followed, and the advice to users if not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, person, pose_frame

from posebus.bus.pose_consumer import PoseEntry
from posebus.config.low_rates import LONGEST_INTERVAL_S, low_rate_advice, low_rates
from posebus.config.policies import Policies
from posebus.config.settings import CameraSettings, Settings, TrackerSettings, WorkerSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import CaptureClock, Delivery, Event, EventType, PoseFrame, Probe, Skipped, Uninferred
from posebus.views import View
from tests.samples import PROVENANCE
from tracking.camera_tracking import CameraTracking
from tracking.motion.intervals import LONGEST_NS
from tracking.policies.followed import RateCheck

Body = PoseFrame | Uninferred | Skipped
SLOW = "frames are inferred every 5 s: people who walk get a new number each time; "


def inferred(seq: int, time_s: float, epoch: int = 1) -> PoseFrame:
    return pose_frame([], seq, time_s, epoch=epoch)


def not_inferred(seq: int, time_s: float, reason: str) -> Uninferred:
    time_ns = round(time_s * SECOND_NS)
    return Uninferred("yard", 1, seq, time_ns, CaptureClock.FILE, Delivery.LOSSLESS, SIZE_PX, reason)


def skipped(seq: int, time_s: float) -> Skipped:
    return Skipped("yard", 1, seq, round(time_s * SECOND_NS), Delivery.LIVE, "stale")


def tracked(tracking: CameraTracking, bodies: Sequence[Body]) -> list[Event]:
    events: list[Event] = []
    for body in bodies:
        now_s = body.captured_at_ns / SECOND_NS
        tracking.push(PoseEntry("yard", f"{body.epoch}-{body.seq}".encode(), body, PROVENANCE), now_s)
        events += [event for event in tracking.advance(now_s + 2.0).events if event.type == EventType.CAMERA_RATE]
    return events


def camera(policies: Policies | None = None, delivery: Delivery = Delivery.LOSSLESS) -> CameraTracking:
    return CameraTracking("yard", delivery, TrackerSettings(), policies or Policies())


def test_slow_camera_is_announced_once_and_advised_all_the_time() -> None:
    tracking = camera()
    events = tracked(tracking, [inferred(seq, 5.0 * seq) for seq in range(20)])
    assert [(event.seq, event.data["interval_s"]) for event in events] == [(3, 5.0)]
    assert tracking.advice == events[0].data["advice"]
    assert tracking.advice == f"{SLOW}raise max_fps to at least 1, or let the source give more"


@pytest.mark.parametrize("fps", [25, 5, 2, 1])
def test_no_advice_from_one_frame_a_second_on(fps: int) -> None:
    """Also with one gap of a minute, and with intervals that waver by a twentieth."""
    tracking = camera()
    frames = [inferred(seq, seq / fps + 60.0 * (seq >= 10) + 0.05 / fps * (seq % 3)) for seq in range(40)]
    assert tracked(tracking, frames) == []
    assert tracking.advice is None


def test_advice_names_the_setting_that_limits_the_rate() -> None:
    """One frame in 50 is inferred, at 10 a second; the others are predicted."""
    tracking = camera(Policies(infer_fps=0.2))
    frames: list[Body] = [
        inferred(seq, seq / 10) if seq % 50 == 0 else not_inferred(seq, seq / 10, "rate") for seq in range(201)
    ]
    (event,) = tracked(tracking, frames)
    assert event.data["advice"] == f"{SLOW}raise infer_fps to at least 1"


def test_advice_names_the_workers_if_they_are_too_slow() -> None:
    frames: list[Body] = [inferred(seq, seq / 10) if seq % 50 == 0 else skipped(seq, seq / 10) for seq in range(201)]
    (event,) = tracked(camera(), frames)
    assert event.data["advice"] == f"{SLOW}start more workers, on cores of their own, or use a smaller imgsz"


def test_time_in_which_nothing_moves_is_no_slow_rate() -> None:
    frames: list[Body] = [
        inferred(seq, seq / 10) if seq % 50 == 0 else not_inferred(seq, seq / 10, "still") for seq in range(501)
    ]
    assert tracked(camera(), frames) == []


def test_each_epoch_announces_it_again() -> None:
    """A recording that is read anew has its events anew."""
    frames = [inferred(seq, 5.0 * seq + 1000 * epoch, epoch) for epoch in (1, 2) for seq in range(6)]
    assert [event.epoch for event in tracked(camera(delivery=Delivery.LIVE), frames)] == [1, 2]


def test_successor_knows_the_rate_and_announces_nothing_again() -> None:
    first, second, third = camera(), camera(), camera()
    tracked(first, [inferred(seq, 5.0 * seq) for seq in range(6)])
    state = unpack_state(pack_state(first.state_dict()))
    second.load_state(state)
    assert second.advice == first.advice is not None
    assert tracked(second, [inferred(seq, 5.0 * seq) for seq in range(6, 12)]) == []
    third.load_state({name: value for name, value in state.items() if name != "rate_check"})
    assert third.advice is None


def test_state_is_plain_and_complete() -> None:
    check = RateCheck(Policies())
    for seq in range(4):
        check.skipped(seq)
        check.inferred(inferred(seq, 3.0 * seq))
    again = RateCheck(Policies())
    again.load_state(json.loads(json.dumps(check.state_dict())))
    assert again.state_dict() == check.state_dict()
    assert again.advice == check.advice


def test_advice_stands_beside_that_about_the_size() -> None:
    """Five people 60 px high are found at 1280 only."""
    boxes = [person(100 + 200 * place, 300, 60) for place in range(5)]
    probe = Probe(View(1280), np.array(boxes, np.float32), np.full(5, 0.9, np.float32))
    tracking = camera(Policies(fixed_imgsz=640))
    tracked(tracking, [replace(inferred(0, 0.0), probes=(probe,)), *(inferred(seq, 5.0 * seq) for seq in range(1, 6))])
    assert tracking.advice is not None
    rate, _, size = tracking.advice.rpartition("; at ")
    assert rate == f"{SLOW}raise max_fps to at least 1, or let the source give more"
    assert size.startswith("1280 px")


def test_longer_intervals_than_the_tracker_bridges_concern_all_people() -> None:
    assert LONGEST_NS == LONGEST_INTERVAL_S * SECOND_NS
    assert "people who walk" in str(low_rate_advice(15.0, "raise it"))
    assert low_rate_advice(60.0, "raise it") == (
        "frames are inferred every 60 s: all people get a new number each time; raise it"
    )


def test_settings_that_are_too_low_are_found_where_they_stand() -> None:
    settings = Settings(
        worker=WorkerSettings(infer_fps=0.5),
        cameras={
            "hall": CameraSettings(source="rtsp://192.0.2.1/a", max_fps=0.2),
            "yard": CameraSettings(source="rtsp://192.0.2.1/b", max_fps=1, infer_fps=0.05),
            "door": CameraSettings(source="rtsp://192.0.2.1/c", max_fps=5, infer_fps="auto"),
        },
    )
    assert dict(low_rates(settings)) == {
        ("worker", "infer_fps"): SLOW.replace("5 s", "2 s") + "raise infer_fps to at least 1",
        ("cameras", "hall", "max_fps"): SLOW + "raise max_fps to at least 1",
        ("cameras", "yard", "infer_fps"): "frames are inferred every 20 s: all people get a new number each time; "
        "raise infer_fps to at least 1",
    }
    assert list(low_rates(Settings())) == []
