"""Children are restarted when they crash, left alone when they are done, and stopped in order."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.runtime.processes import SPARE_AFTER_S, ChildProcesses, ChildSpec
from tests.polling import wait_until


@pytest.fixture
def processes() -> Iterator[ChildProcesses]:
    with ChildProcesses(restart_min_s=0.01, restart_max_s=0.05) as processes:
        yield processes


def child(name: str, code: str) -> ChildSpec:
    return ChildSpec(name, [sys.executable, "-c", code])


def test_a_crashed_child_is_started_again(processes: ChildProcesses, tmp_path: Path) -> None:
    log = tmp_path / "starts"
    processes.start(child("crasher", f"open({str(log)!r}, 'a').write('x'); raise SystemExit(7)"))

    def crashed_three_times() -> bool:
        assert processes.restart_crashed(time.monotonic()) == []
        return log.exists() and len(log.read_text()) >= 3

    wait_until(crashed_three_times, "three starts")
    assert processes.children["crasher"].restarts >= 2


def test_a_killed_child_is_started_again_and_logged(
    processes: ChildProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    processes.start(child("sleeper", "import time; time.sleep(60)"))
    first = processes.children["sleeper"].process
    first.kill()

    def restarted() -> bool:
        processes.restart_crashed(time.monotonic())
        return processes.children["sleeper"].process is not first

    wait_until(restarted, "another start")
    assert processes.children["sleeper"].exit_code is None
    assert "sleeper was killed by signal 9; starting it again" in caplog.text


@pytest.mark.parametrize("code", [0, 1])
def test_a_child_that_finished_is_not_started_again(processes: ChildProcesses, code: int) -> None:
    processes.start(child("done", f"raise SystemExit({code})"))
    process = processes.children["done"].process
    process.wait()
    (ended,) = processes.restart_crashed(time.monotonic())
    assert (ended.spec.name, ended.exit_code) == ("done", code)
    assert processes.children["done"].process is process


def test_stopping_sends_sigterm_and_kills_children_that_ignore_it(processes: ChildProcesses, tmp_path: Path) -> None:
    said = tmp_path / "said"
    polite = (
        f"import signal, sys, time; signal.signal(15, lambda *_: (open({str(said)!r}, 'w').write('bye'), sys.exit(0)))"
    )
    ready_polite, ready_deaf = tmp_path / "polite", tmp_path / "deaf"
    processes.start(child("polite", f"{polite}; open({str(ready_polite)!r}, 'w'); time.sleep(60)"))
    processes.start(
        child(
            "deaf",
            f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(ready_deaf)!r}, 'w'); time.sleep(60)",
        )
    )
    wait_until(lambda: ready_polite.exists() and ready_deaf.exists(), "both children")
    deaf = processes.children["deaf"].process
    processes.stop(timeout_s=0.5)
    assert said.read_text() == "bye"
    assert deaf.returncode == -9
    assert processes.children == {}


def test_ctrl_c_in_the_terminal_does_not_reach_children(processes: ChildProcesses) -> None:
    import os

    processes.start(child("sleeper", "import time; time.sleep(60)"))
    assert os.getpgid(processes.children["sleeper"].process.pid) != os.getpgid(0)


def test_a_dismissed_child_ends_by_itself_and_one_that_does_not_is_killed(
    processes: ChildProcesses, tmp_path: Path
) -> None:
    ready = [tmp_path / "polite", tmp_path / "stubborn"]
    sleep = "import pathlib, signal, time; {}; pathlib.Path({!r}).touch(); time.sleep(600)"
    ignores = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    processes.start(child("polite", sleep.format("pass", str(ready[0]))))
    processes.start(child("stubborn", sleep.format(ignores, str(ready[1]))))
    wait_until(lambda: all(path.exists() for path in ready), "both")
    stubborn = processes.children["stubborn"].process
    for name in ("polite", "stubborn"):
        processes.dismiss(name, timeout_s=5.0, now_s=100.0)
    assert processes.children == {}
    ended: list[str] = []

    def tend(now_s: float) -> None:
        ended.extend(one.spec.name for one in processes.tend_leaving(now_s))

    wait_until(lambda: ended == ["polite"], "the first", meanwhile=lambda: tend(104.9))
    assert processes.leaving == ["stubborn"]
    processes.start(child("stubborn", "import time; time.sleep(600)"))  # another one of the same name
    wait_until(lambda: ended == ["polite", "stubborn"], "the second", meanwhile=lambda: tend(105.1))
    assert stubborn.returncode == -9
    assert processes.leaving == []
    assert processes.children["stubborn"].exit_code is None


def test_a_stop_waits_for_dismissed_children_too(processes: ChildProcesses) -> None:
    processes.start(child("leaves", "import time; time.sleep(600)"))
    process = processes.children["leaves"].process
    processes.dismiss("leaves", timeout_s=60.0, now_s=0.0)
    processes.stop(timeout_s=60.0)
    assert process.returncode is not None


SPARE_PROGRAM = """
import os, sys
from posebus.machine.spare_process import wait_for_arguments
print("loaded", flush=True)
arguments = wait_for_arguments() if sys.argv[1:] == ["--spare"] else sys.argv[1:]
with open(arguments[0], "w") as file:
    words = os.getpid(), arguments[1], os.environ["GREETING"], os.environ["POSEBUS_RUN"], repr(sys.stdin.read())
    file.write(" ".join(map(str, words)))
"""


def test_a_spare_process_becomes_the_next_child(processes: ChildProcesses, tmp_path: Path) -> None:
    def spec(name: str, *arguments: str, **variables: str) -> ChildSpec:
        return ChildSpec(name, [sys.executable, "-c", SPARE_PROGRAM, *arguments], variables, urgent=True)

    processes.start(ChildSpec("other", [sys.executable, "-c", "pass"]))
    before = children_of_this_process()
    processes.keep_spare(spec("spare", "--spare"), time.monotonic() - SPARE_AFTER_S)
    assert children_of_this_process() == before  # another child has just begun
    processes.keep_spare(spec("spare", "--spare"), time.monotonic() + SPARE_AFTER_S)
    (spare,) = children_of_this_process() - before
    outputs = [tmp_path / "first", tmp_path / "second"]
    for output in outputs:
        processes.start(spec(output.name, str(output), "word", GREETING="hello"))
        processes.children[output.name].process.wait()
    pids = [int(output.read_text().split()[0]) for output in outputs]
    assert pids[0] == spare == processes.children["first"].process.pid
    assert pids[1] != spare
    first, second = (output.read_text().split()[1:] for output in outputs)
    assert first == second
    assert first[:2] == ["word", "hello"]
    assert first[3] == "''"  # nothing comes from its input any more


def test_a_spare_that_has_died_or_is_not_needed_leaves_nothing_behind(
    processes: ChildProcesses, tmp_path: Path
) -> None:
    spare = ChildSpec("spare", [sys.executable, "-c", SPARE_PROGRAM, "--spare"])
    before = children_of_this_process()
    processes.keep_spare(spare, time.monotonic())
    (pid,) = children_of_this_process() - before
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z", "its end")
    output = tmp_path / "output"
    argv = [sys.executable, "-c", SPARE_PROGRAM, str(output), "word"]
    processes.start(ChildSpec("child", argv, {"GREETING": "hello"}, urgent=True))
    assert processes.children["child"].process.wait() == 0
    processes.keep_spare(spare, time.monotonic() + SPARE_AFTER_S)
    assert len(children_of_this_process() - before) == 1
    processes.stop()
    assert children_of_this_process() == before


def children_of_this_process() -> set[int]:
    """The processes that were started here and have not been waited for."""
    words = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return {int(word) for found in words for word in found}
