"""Live frames that are too old or overtaken, and lossless ones that never are."""

from __future__ import annotations

import time

from posebus.bus.redis.connection import connect
from posebus.messages import Delivery, PoseFrame, Skipped
from tests.contract.conftest import MakeBench, MakeClient


def test_expired_live_frame_is_acknowledged_without_inference_and_counted(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LIVE, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.run()
    bench.publish(1)
    bench.run()
    old, fresh = bench.poses()
    assert isinstance(old, Skipped)
    assert old.reason == "too old"
    assert isinstance(fresh, PoseFrame)
    assert bench.engine.submitted == 1
    assert bench.stage.report()["skipped"] == {"too old": 1}


def test_only_the_newest_frame_of_a_camera_that_fell_behind_is_inferred(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LIVE, max_age_ms=1000.0)
    for seq in range(20):
        bench.publish(seq)
        bench.publish(seq, "yard")
    time.sleep(0.3)
    bench.run()
    for camera in ("door", "yard"):
        done = {body.seq: body for body in bench.poses(camera) if body is not None}
        assert isinstance(done.pop(19), PoseFrame)
        assert {body.reason for body in done.values() if isinstance(body, Skipped)} == {"overtaken"}
        assert len(done) == 19
    assert bench.engine.submitted == 2
    assert bench.waiting() == bench.waiting("yard") == (0, 0)


def test_live_frames_that_waited_only_for_a_moment_are_inferred_in_order(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client(), Delivery.LIVE, max_age_ms=60_000.0)
    for seq in range(7):
        bench.publish(seq)
    bench.run()
    assert [body.seq for body in bench.poses() if isinstance(body, PoseFrame)] == list(range(7))


def test_lossless_frame_never_expires(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LOSSLESS, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.run()
    assert [type(body) for body in bench.poses()] == [PoseFrame]
