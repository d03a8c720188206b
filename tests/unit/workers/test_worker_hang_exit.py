"""The exit because of a hang: record, last commit, exit code."""

from __future__ import annotations

import logging
import threading

import pytest

from posebus.messages import Frame
from posebus.runtime.processes import EXIT_STUCK
from tests.polling import wait_until
from tests.unit.workers.recording_consumer import entry
from workers.images.picture import Picture
from workers.inference import hang_exit
from workers.inference.hang import Hang
from workers.inference.hang_exit import HangExit
from workers.job import Job


def hang_of(*seqs: int) -> Hang:
    jobs = []
    for one in map(entry, seqs):
        assert isinstance(one.body, Frame)
        jobs.append(Job(one, one.body, Picture(b"", "jpeg", (64, 64))))
    return Hang(tuple(jobs), "engine", 21.0)


def test_process_exits_after_the_hang_is_recorded_and_the_results_are_committed() -> None:
    steps: list[object] = []
    ending = HangExit(lambda hang: steps.append("recorded"), steps.append)
    assert not ending.requested
    thread = threading.Thread(target=ending, args=(hang_of(1),))
    thread.start()
    wait_until(lambda: ending.requested, "the request to commit")
    ending.committed()
    thread.join(60)
    assert steps == ["recorded", EXIT_STUCK]


def test_process_exits_even_if_the_main_thread_and_the_broker_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hang_exit, "LAST_COMMIT_S", 0.01)
    never, codes = threading.Event(), []
    HangExit(lambda hang: bool(never.wait(60)), codes.append)(hang_of(1))
    never.set()
    assert codes == [EXIT_STUCK]


@pytest.mark.parametrize(
    ("seqs", "frames"), [((3,), "camera door frame 1:3"), ((), "a blank picture")], ids=["frame", "blank"]
)
def test_log_names_the_frames(seqs: tuple[int, ...], frames: str, caplog: pytest.LogCaptureFixture) -> None:
    ending = HangExit(lambda hang: None, lambda code: None)
    ending.committed()
    with caplog.at_level(logging.ERROR, "posebus.worker"):
        ending(hang_of(*seqs))
    (record,) = caplog.records
    assert record.getMessage() == (
        f"the engine has not returned {frames} for 21 s (worker.hang_s); this worker exits and has to be restarted"
    )
