"""What counts as hanging, by a clock that the test sets. Only the last test has a thread, the guard's."""

from __future__ import annotations

import threading

from posebus.bus.frame_consumer import FrameEntry
from tests.samples import frame
from workers.images.picture import Picture
from workers.inference.hang import FIRST_TIME_FACTOR, Hang, HangGuard, HangWatch
from workers.job import Job

SHAPE = (64, 64)


def job(seq: int) -> Job:
    body = frame(seq)
    return Job(FrameEntry("door", b"%d-0" % seq, body, {}), body, Picture(b"", "jpeg", SHAPE))


def known_watch(hang_s: float = 10.0) -> HangWatch:
    watch = HangWatch(hang_s)
    watch.know(SHAPE)
    return watch


def seqs(hang: Hang | None) -> list[int]:
    return [] if hang is None else [one.frame.seq for one in hang.jobs]


def test_frame_that_the_engine_does_not_return_hangs() -> None:
    watch = known_watch()
    number = watch.inferring([job(3)], SHAPE, 100.0)
    assert watch.hung(109.9) is None
    hang = watch.hung(111.0)
    assert hang is not None
    assert (seqs(hang), hang.where, hang.for_s) == ([3], "engine", 11.0)
    watch.inferred(number, 111.0)
    assert watch.hung(1000.0) is None


def test_frame_that_the_decoder_does_not_return_hangs() -> None:
    watch = known_watch()
    first, _ = watch.decoding(job(0), 0.0), watch.decoding(job(1), 5.0)
    watch.decoded(first)
    assert watch.hung(14.0) is None
    hang = watch.hung(16.0)
    assert hang is not None
    assert (seqs(hang), hang.where) == ([1], "decoder")


def test_engine_that_is_slow_with_many_submissions_does_not_hang() -> None:
    watch = known_watch()
    numbers = [watch.inferring([job(seq)], SHAPE, 0.0) for seq in range(4)]
    for turn, number in enumerate(numbers, start=1):
        assert watch.hung(9.0 * turn) is None
        watch.inferred(number, 9.0 * turn)


def test_submission_that_later_ones_overtake_hangs() -> None:
    watch = known_watch()
    watch.inferring([job(0)], SHAPE, 0.0)
    for seq in range(1, 12):
        watch.inferred(watch.inferring([job(seq)], SHAPE, float(seq)), seq + 0.5)
    assert seqs(watch.hung(11.0)) == [0]


def test_first_frame_of_a_size_has_more_time() -> None:
    watch = known_watch()
    number = watch.inferring([job(0)], (96, 64), 0.0)
    assert watch.hung(10.0 * FIRST_TIME_FACTOR) is None
    assert seqs(watch.hung(10.0 * FIRST_TIME_FACTOR + 1)) == [0]
    watch.inferred(number, 60.0)
    watch.know((96, 64))
    watch.inferring([job(1)], (96, 64), 60.0)
    assert seqs(watch.hung(71.0)) == [1]


def test_suspended_process_does_not_blame_its_frames() -> None:
    watch = known_watch()
    watch.inferring([job(0)], SHAPE, 0.0)
    watch.decoding(job(1), 0.0)
    watch.restart_clocks(500.0)
    assert watch.hung(509.0) is None
    assert seqs(watch.hung(511.0)) == [1]


def test_guard_reports_the_first_hang_once() -> None:
    watch, reported = known_watch(hang_s=0.01), threading.Event()
    hangs: list[Hang] = []

    def on_hang(hang: Hang) -> None:
        hangs.append(hang)
        reported.set()

    guard = HangGuard(watch, on_hang)
    guard.start()
    guard.start()
    watch.inferring([job(0)], SHAPE, 0.0)
    assert reported.wait(10)
    guard.stop()
    guard.start()
    assert [seqs(hang) for hang in hangs] == [[0]]
