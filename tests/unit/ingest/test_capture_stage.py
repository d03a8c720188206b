"""The capture loop between a scripted source and a writer that keeps everything in memory."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.capture import CaptureStage
from ingest.sources import Admit, CapturedImage
from ingest.sources.decoding.pixels import RowsImage
from posebus.config.local_files import SETTLED_S, is_being_written
from posebus.config.settings import CameraSettings
from posebus.errors import BrokerUnavailable, LoginRefused, SourceMissing, SourceRejected, SourceUnavailable
from posebus.messages import CaptureClock, Delivery, EndOfStream
from posebus.telemetry.metric_windows import read_snapshot
from tests.polling import wait_until
from tests.unit.ingest.memory_writer import MemoryWriter

STEP_NS = 100_000_000


class ScriptedSource:
    """Pictures, waits and errors in the order of a script: an int is a picture with that number."""

    fps = 10.0
    frame_count: int | None = None
    live = True

    def __init__(self, script: Iterator[object]) -> None:
        self.warning: str | None = None
        self.lost = 0
        self.closed = False
        self._script = script

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        for item in self._script:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, threading.Event):
                item.wait(10.0)
                continue
            if isinstance(item, str):
                self.warning = item
                continue
            number = int(str(item))
            if admit is None or admit(number * STEP_NS):
                time.sleep(0.0005)  # a real source takes its time; without a pause, this thread would starve the other
                image = np.full((48, 64, 3), number % 256, np.uint8)
                return CapturedImage(RowsImage(image), number * STEP_NS, CaptureClock.ARRIVAL)
        return None

    def close(self) -> None:
        self.closed = True


def stage_of(
    *scripts: list[object] | Exception, writer: MemoryWriter, **values: object
) -> tuple[CaptureStage, list[ScriptedSource]]:
    """Return a stage whose n-th connection plays the n-th script, or fails if that is an error."""
    remaining = iter(scripts)
    opened: list[ScriptedSource] = []

    def opener(_: CameraSettings) -> ScriptedSource:
        script = next(remaining, SourceUnavailable("the script is over"))
        if isinstance(script, Exception):
            raise script
        opened.append(ScriptedSource(iter(script)))
        return opened[-1]

    fields = {"source": "x.mp4", "encoding": "raw", "reconnect_min_s": 0.01, "reconnect_max_s": 0.02, **values}
    return CaptureStage("door", CameraSettings(**fields), writer, opener=opener, rng=random.Random(1)), opened


def run(stage: CaptureStage, until: Callable[[], bool]) -> bool:
    """Step until the condition holds and return the last result of `step`; fail if it never does."""
    more = True

    def step() -> None:
        nonlocal more
        more = stage.step(time.monotonic())

    wait_until(lambda: not more or until(), lambda: f"it happens; {stage.report()}", meanwhile=step, poll_s=0.0)
    return more


def never() -> bool:
    return False


def test_recording_is_published_whole_and_in_order_with_its_end() -> None:
    writer = MemoryWriter()
    stage, opened = stage_of(list(range(20)), writer=writer)
    assert not run(stage, never)
    stage.close()
    assert [frame.seq for frame in writer.frames()] == list(range(20))
    assert [frame.captured_at_ns for frame in writer.frames()] == [number * STEP_NS for number in range(20)]
    assert {frame.delivery for frame in writer.frames()} == {Delivery.LOSSLESS}
    assert {frame.epoch for frame in writer.frames()} == {1}
    end = writer.items[-1]
    assert isinstance(end, EndOfStream)
    assert (end.seq, end.captured_at_ns, end.reason) == (20, 19 * STEP_NS, "end of file")
    assert writer.kinds() == ["online"]
    assert opened[0].closed


def test_a_warning_of_the_source_becomes_the_reason_of_the_end_mark() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of([0, "x.mp4 is cut off"], writer=writer)
    run(stage, never)
    assert isinstance(writer.items[-1], EndOfStream)
    assert writer.items[-1].reason == "x.mp4 is cut off"


def test_lossless_source_waits_at_the_budget_and_continues_below_it() -> None:
    writer = MemoryWriter()
    frame_bytes = 48 * 64 * 3
    stage, _ = stage_of(list(range(40)), writer=writer, max_backlog_bytes=4 * frame_bytes)
    run(stage, lambda: len(writer.waiting) == 4)
    for _ in range(20):
        stage.step(time.monotonic())
    assert len(writer.items) == 4
    more = True
    while more:
        del writer.waiting[:2]
        more = stage.step(time.monotonic())
    assert [frame.seq for frame in writer.frames()] == list(range(40))
    assert writer.most_bytes <= 4 * frame_bytes


def test_frame_above_the_budget_still_passes_one_at_a_time() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(list(range(5)), writer=writer, max_backlog_bytes=10)
    more = True
    while more:
        more = stage.step(time.monotonic())
        assert len(writer.frames()) - len(writer.waiting) + 1 >= len(writer.waiting) - 1
        writer.waiting.clear()
    assert len(writer.frames()) == 5


def test_lossless_source_waits_while_poses_are_unread() -> None:
    writer = MemoryWriter()
    writer.poses = 10_000
    stage, _ = stage_of(list(range(5)), writer=writer)
    run(stage, lambda: len(writer.items) == 1)
    for _ in range(5):
        stage.step(time.monotonic())
    assert len(writer.items) == 1
    writer.poses = 0
    run(stage, never)
    assert len(writer.frames()) == 5


@pytest.mark.parametrize("fail_at", [0, 1, 3])
def test_lossless_source_loses_no_frame_while_the_broker_is_down(fail_at: int) -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(list(range(6)), writer=writer)
    run(stage, lambda: len(writer.frames()) >= fail_at)
    writer.down = True
    failures = 0
    for _ in range(10):
        try:
            stage.step(time.monotonic())
        except BrokerUnavailable:
            failures += 1
    assert failures
    writer.down = False
    run(stage, never)
    assert [frame.seq for frame in writer.frames()] == list(range(6))
    assert isinstance(writer.items[-1], EndOfStream)
    assert writer.kinds() == ["online"]


def test_live_frame_that_the_broker_refuses_is_reported_in_a_gap_event() -> None:
    writer = MemoryWriter()
    gate, end = threading.Event(), threading.Event()
    stage, _ = stage_of([0, gate, 1, 2, end], writer=writer, delivery="live")
    run(stage, lambda: len(writer.frames()) == 1)
    writer.down = True
    gate.set()
    with pytest.raises(BrokerUnavailable):
        run(stage, never)
    writer.down = False
    run(stage, lambda: "gap" in writer.kinds())
    gap = next(event for event in writer.events if event.type.endswith("gap"))
    assert gap.data["reasons"]["broker unavailable"] == 1
    seqs = [frame.seq for frame in writer.frames()]
    assert seqs == sorted(set(seqs))
    end.set()


def test_live_backlog_stays_within_the_budget() -> None:
    writer = MemoryWriter()
    frame_bytes = 48 * 64 * 3
    paced = [item for number in range(30) for item in (number, as_event(lambda n=number: len(writer.items) > n))]
    stage, _ = stage_of(paced, writer=writer, delivery="live", max_backlog_bytes=3 * frame_bytes)
    run(stage, never)
    assert sum(writer.waiting) <= 3 * frame_bytes
    assert stage.report().captures["door"].dropped["overflow"] == 27
    assert [frame.seq for frame in writer.frames()] == list(range(30))


def as_event(condition: Callable[[], bool]) -> threading.Event:
    """An event whose wait ends when the condition holds, which keeps a script in step with the publisher."""

    class Condition(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            wait_until(condition, "what the script waits for", poll_s=0.001)
            return True

    return Condition()


def test_outage_is_followed_by_a_new_epoch_and_one_offline_event() -> None:
    writer = MemoryWriter()
    gone = SourceUnavailable("rtsp://door closed the stream")
    refused = SourceUnavailable("rtsp://door refuses the connection")
    stage, opened = stage_of(
        [0, as_event(lambda: len(writer.items) >= 1), gone],
        refused,
        refused,
        [5, as_event(lambda: len(writer.items) >= 2)],
        writer=writer,
        delivery="live",
    )
    run(stage, never)
    assert writer.kinds() == ["online", "offline", "online"]
    assert [(frame.epoch, frame.seq) for frame in writer.frames()] == [(1, 0), (2, 0)]
    assert writer.events[1].data["reason"] == "rtsp://door closed the stream"
    assert all(source.closed for source in opened)
    assert len({event.id for event in writer.events}) == 3


def test_an_unreachable_camera_is_announced_offline_once_and_tried_again() -> None:
    writer = MemoryWriter()
    refused = SourceUnavailable("rtsp://door refuses the connection")
    stage, _ = stage_of(*[refused] * 5, [0], writer=writer, delivery="live")
    run(stage, never)
    assert writer.kinds() == ["offline", "online"]
    assert writer.events[0].epoch == 0
    assert len(writer.frames()) == 1


def test_camera_that_accepts_and_never_answers_is_offline_before_opening_is_given_up() -> None:
    writer = MemoryWriter()
    answer = threading.Event()

    def opener(_: CameraSettings) -> ScriptedSource:
        answer.wait(10.0)
        return ScriptedSource(iter([0]))

    settings = CameraSettings(source="x.mp4", encoding="raw", delivery="live", read_timeout_s=0.2, open_timeout_s=60.0)
    stage = CaptureStage("door", settings, writer, opener=opener)
    run(stage, lambda: writer.kinds() == ["offline"])
    answer.set()
    run(stage, never)
    assert writer.kinds() == ["offline", "online"]


@pytest.mark.parametrize(("error", "tried_again"), [(LoginRefused, False), (SourceUnavailable, True)])
def test_refused_login_is_tried_again_after_the_longest_pause(error: type[Exception], tried_again: bool) -> None:
    writer = MemoryWriter()
    refused = error("rtsp://door refuses the login")
    stage, opened = stage_of(refused, [0], writer=writer, delivery="live", reconnect_max_s=1000.0)
    run(stage, lambda: writer.kinds() == ["offline"])
    for _ in range(5):
        stage.step(time.monotonic())
    assert bool(opened) == tried_again
    stage.close()


def test_silent_camera_is_offline_though_its_reader_hangs() -> None:
    writer = MemoryWriter()
    hang = threading.Event()
    stage, _ = stage_of([0, hang, 1], writer=writer, delivery="live", read_timeout_s=0.3, open_timeout_s=0.1)
    run(stage, lambda: "offline" in writer.kinds())
    assert stage.healthy(time.monotonic())
    assert not stage.healthy(time.monotonic() + 5.0)
    hang.set()
    run(stage, never)
    assert writer.kinds() == ["online", "offline", "online"]
    assert [(frame.epoch, frame.seq) for frame in writer.frames()] == [(1, 0), (2, 0)]


def test_a_rejected_source_stops_the_stage_and_is_announced_offline() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(SourceRejected("there is no file x.mp4; check the path"), writer=writer)
    with pytest.raises(SourceRejected, match="there is no file"):
        run(stage, never)
    assert writer.kinds() == ["offline"]
    assert writer.frames() == []


class Unencodable(RowsImage):
    """A picture that no one has foreseen."""

    def bgr(self, size_px: tuple[int, int] | None = None) -> np.ndarray:
        raise ZeroDivisionError("no such\nrows")


@pytest.mark.parametrize("place", ["source", "picture"])
def test_unforeseen_error_ends_a_recording_with_a_sentence_and_is_not_tried_again(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = MemoryWriter()
    error = ZeroDivisionError("no such\nrows")
    stage, opened = stage_of([0, 1, error] if place == "source" else [0, 1, 2], [0, 1, 2], writer=writer)
    if place == "picture":
        monkeypatch.setitem(globals(), "RowsImage", Unencodable)
    with pytest.raises(SourceRejected, match=r"unexpected ZeroDivisionError with .* camera door: no such rows"):
        run(stage, never)
    assert len(opened) == 1
    assert len(writer.frames()) == (2 if place == "source" else 0)
    assert writer.kinds()[-1] == "offline"
    assert "no such rows" in str(writer.events[-1].data["reason"])


def test_unforeseen_error_of_a_camera_is_an_outage() -> None:
    writer = MemoryWriter()
    stage, opened = stage_of([0, ZeroDivisionError("once")], [1], writer=writer, delivery="live")
    run(stage, lambda: len(writer.frames()) == 2)
    assert [frame.epoch for frame in writer.frames()] == [1, 2]
    assert len(opened) == 2


def test_the_rate_cap_applies_before_frames_are_numbered() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(list(range(100)), writer=writer, max_fps=5.0)
    run(stage, never)
    assert len(writer.frames()) in (50, 51)
    assert [frame.seq for frame in writer.frames()] == list(range(len(writer.frames())))


def test_sizes_are_those_of_the_source_and_of_the_reduced_picture() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of([0], writer=writer, max_size_px=64, encoding="jpeg")
    run(stage, never)
    assert writer.frames()[0].size_px == (64, 48)
    assert writer.frames()[0].encoding == "jpeg"


def test_each_step_of_a_frame_is_measured_once() -> None:
    stage, _ = stage_of(list(range(20)), writer=MemoryWriter())
    run(stage, never)
    stage.close()
    measured = read_snapshot(stage.report().metrics)
    steps = {step: measured.distribution("posebus_stage_seconds", step).count for step in ("encode", "publish")}
    assert steps == {"encode": 20, "publish": 20}  # the end mark is not a frame
    assert measured.distribution("posebus_stage_seconds", "capture").count == 20
    assert measured.distribution("posebus_age_at_publish_seconds", "frames").count == 20
    assert measured.number("posebus_frames_total") == 20


def test_a_lost_frame_is_counted_once_over_several_reports() -> None:
    writer = MemoryWriter()
    frame_bytes = 48 * 64 * 3
    stage, _ = stage_of(
        [*range(6), SourceUnavailable("gone")], writer=writer, source="rtsp://h/s", max_backlog_bytes=3 * frame_bytes
    )
    run(stage, lambda: stage.report().captures["door"].state == "offline")
    stage.close()
    dropped = stage.report().captures["door"].dropped
    measured = read_snapshot(stage.report().metrics)
    assert dropped["overflow"] > 0
    for reason, number in dropped.items():
        assert measured.number("posebus_frames_skipped_total", reason) == number


def test_draining_announces_that_a_live_camera_stops_and_ends_its_reader() -> None:
    writer = MemoryWriter()
    before = set(threading.enumerate())
    stage, _ = stage_of(list(range(10_000_000)), writer=writer, delivery="live")
    run(stage, lambda: len(writer.frames()) > 3)
    stage.drain()
    stage.close()
    assert writer.kinds()[-1] == "offline"
    assert set(threading.enumerate()) <= before


MISSING = SourceMissing("there is no file x.mp4; check the path")


@pytest.mark.parametrize("delivery", ["lossless", "live"])
def test_a_file_that_is_missing_is_waited_for_and_announced_once(delivery: str) -> None:
    writer = MemoryWriter()
    stage, opened = stage_of(MISSING, MISSING, [0, 1], writer=writer, delivery=delivery)
    assert not run(stage, never)
    assert len(writer.frames()) == 2
    assert writer.kinds() == ["offline", "online"]
    assert writer.events[0].data["reason"] == "there is no file x.mp4; check the path"
    assert {frame.epoch for frame in writer.frames()} == {1}
    assert len(opened) == 1


def test_the_reason_of_a_missing_file_is_reported_while_it_is_missing() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(*[MISSING] * 1000, writer=writer)
    run(stage, lambda: bool(writer.events))
    capture = stage.report().captures["door"]
    assert (capture.state, capture.trouble) == ("offline", "there is no file x.mp4; check the path")


def test_a_missing_file_is_rejected_where_it_must_exist() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(MISSING, [0], writer=writer)
    stage.must_exist = True
    with pytest.raises(SourceRejected, match="there is no file"):
        run(stage, never)


NO_VIDEO = SourceRejected("x.mp4 is not a video")


def test_a_file_that_is_still_being_copied_is_waited_for_and_an_old_one_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(b"the beginning")
    in_future_s = time.time() + 60
    os.utime(path, (in_future_s, in_future_s))
    assert not is_being_written(str(path), time.time())
    assert is_being_written(str(path), in_future_s + SETTLED_S / 2)
    assert not is_being_written(str(path), in_future_s + 2 * SETTLED_S)
    assert not is_being_written(str(tmp_path), tmp_path.stat().st_mtime)
    writer = MemoryWriter()
    stage, _ = stage_of(NO_VIDEO, *[[0, 1]] * 2, writer=writer, source=str(path))
    with pytest.raises(SourceRejected):
        run(stage, never)
    os.utime(path)
    writer = MemoryWriter()
    stage, _ = stage_of(NO_VIDEO, [0, 1], writer=writer, source=str(path))
    assert not run(stage, never)
    assert writer.kinds() == ["offline", "online"]


def test_a_recording_that_was_missing_begins_with_an_epoch_of_its_own_in_the_next_process() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(*[MISSING] * 1000, writer=writer)
    run(stage, lambda: bool(writer.events))
    stage.close()
    writer.token = 2
    second, _ = stage_of([0, 1], writer=writer)
    assert not run(second, never)
    assert [(frame.epoch, frame.seq) for frame in writer.frames()] == [(1, 0), (1, 1)]
