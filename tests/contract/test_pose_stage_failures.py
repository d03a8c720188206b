"""Frames that fail, crash workers or hang: how often they are tried, by which worker, and when they are given up."""

from __future__ import annotations

import re
import time

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry
from posebus.bus.reclaim import GONE, attempts_from_json
from posebus.config.settings import RetentionSettings
from posebus.messages import PoseFrame, Skipped
from posebus.runtime.processes import EXIT_STUCK
from tests.contract.conftest import MakeBench, client_of
from tests.contract.pose_stage_bench import BLACK, TOPOLOGY


def test_frame_that_fails_max_deliveries_times_goes_to_the_dead_letters(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.02, max_deliveries=3)
    bench.engine.failing = True
    bench.publish(0)
    bench.run_until_answered()
    assert bench.engine.submitted == 3
    assert [type(body) for body in bench.poses()] == [Skipped]
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert letter[b"dead_reason"] == (
        b"given up after 3 attempts in 1 worker; the last: RuntimeError: the device is on fire"
    )
    assert bench.waiting() == (0, 0)


def test_frame_that_failed_once_is_tried_again(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.02)
    bench.engine.failing = True
    bench.publish(0)
    bench.run()
    bench.engine.failing = False
    bench.run_until_answered()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_frames_of_a_crashed_worker_are_tried_one_at_a_time(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.05)
    for seq in range(7):
        bench.publish(seq)
    bench.read_and_crash(7, "dead")
    attempts_noted: list[int] = []
    bench.engine.on_submit = lambda: attempts_noted.append(len(bench.attempts()))
    bench.run_until_answered()
    assert sorted(body.seq for body in bench.poses() if isinstance(body, PoseFrame)) == list(range(7))
    # The first was a blank picture, with which the engine was set up.
    assert attempts_noted == [0, *[1] * 7]
    assert bench.attempts() == {}


def test_frame_of_many_crashed_workers_is_not_given_up_while_no_attempt_counts(
    make_bench: MakeBench, real_url: str
) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.02, max_deliveries=3)
    bench.publish(0)
    bench.read_and_crash(1, "dead-0")
    for number in range(1, 12):
        time.sleep(0.03)
        FrameConsumer(bench.broker, f"dead-{number}", RetentionSettings(dead_entries=10)).reclaim(["door"], 10, 4)
    bench.run_until_answered()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_attempt_counts_against_a_suspect_while_it_is_tried(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.05)
    bench.publish(0)
    bench.read_and_crash(1, "dead")
    bench.engine.stalls_after = 1  # it is set up with a blank picture first
    bench.step_until(lambda: bench.engine.submitted == 2)
    ((attempt,),) = bench.attempts().values()
    assert (attempt.worker, attempt.outcome) == ("w1", GONE)
    bench.stage.drain()
    assert bench.attempts() == {}, "an orderly exit does not count against the frame"


def test_frame_alone_in_crashed_workers_goes_to_the_dead_letters_with_its_picture(
    make_bench: MakeBench, real_url: str
) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.05, max_deliveries=2)
    bench.publish(0)
    bench.read_and_crash(1, "dead-0")
    for number in (1, 2):
        consumer = FrameConsumer(bench.broker, f"dead-{number}", RetentionSettings(dead_entries=10))
        while not (reclaimed := consumer.reclaim(["door"], 20, 4)):
            time.sleep(0.01)
        consumer.note(reclaimed[0], [*reclaimed[0].attempts, consumer.attempt(GONE)])
    bench.run_until_answered()
    assert bench.engine.submitted == 0
    ((mark,), (letter,)) = bench.poses(), bench.letters()
    assert isinstance(mark, Skipped)
    assert mark.reason == f"given up after 2 attempts in 2 workers; the last: {GONE}"
    assert [attempt.worker for attempt in attempts_from_json(letter[b"dead_attempts"])] == ["dead-1", "dead-2"]
    assert letter[b"data"] == BLACK
    assert bench.attempts() == {}


def test_worker_that_failed_with_a_frame_leaves_it_to_others_first(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.5)
    bench.engine.failing = True
    bench.publish(0)
    bench.run()
    bench.engine.failing = False
    rival = FrameConsumer(bench.broker, "rival", RetentionSettings(dead_entries=10))
    reclaimed: list[FrameEntry] = []
    while not reclaimed:
        bench.stage.step(time.monotonic())
        assert bench.waiting() == (1, 1), "the same worker took it again"
        reclaimed = rival.reclaim(["door"], 500, 4)
    assert [(attempt.worker, attempt.outcome) for attempt in reclaimed[0].attempts] == [
        ("w1", "RuntimeError: the device is on fire")
    ]


def test_worker_exits_because_of_a_frame_that_hangs_and_the_attempt_counts(
    make_bench: MakeBench, real_url: str
) -> None:
    bench = make_bench(client_of(real_url), hang_s=0.4)
    bench.publish(0)
    bench.run()
    bench.engine.stalled = True
    bench.publish(1)
    bench.step_until(lambda: bench.exit_codes)
    assert bench.exit_codes == [EXIT_STUCK]
    ((attempt,),) = bench.attempts().values()
    assert attempt.worker == "w1"
    assert re.fullmatch(r"it hung in the engine for \d+ s", attempt.outcome)
