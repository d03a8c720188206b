"""Real child processes: one that works, one that hangs, one that ends."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ingest.supervision import IngestSupervisor
from posebus.runtime.processes import ChildProcesses, ChildSpec
from posebus.runtime.watchdog import Watchdog
from tests.polling import wait_until

WORKING = """
import os, time
from posebus.runtime.liveness import give_life_signs
give_life_signs(os.environ, lambda now_s: True)
time.sleep(60)
"""
HANGING = """
import os, time
from posebus.runtime.liveness import give_life_signs
give_life_signs(os.environ, lambda now_s: False)
time.sleep(60)
"""


def child(name: str, code: str) -> ChildSpec:
    return ChildSpec(name, [sys.executable, "-c", code])


def test_a_hanging_process_is_restarted_and_a_working_one_is_not(tmp_path: Path) -> None:
    with ChildProcesses(restart_min_s=0.05) as processes:
        supervisor = IngestSupervisor(processes, Watchdog(tmp_path, stalled_after_s=2.0))
        supervisor.start([child("works", WORKING), child("hangs", HANGING)])
        first = {name: member.process.pid for name, member in processes.children.items()}

        def started_again() -> bool:
            assert supervisor.restart_crashed(time.monotonic()) == []
            return processes.children["hangs"].process.pid != first["hangs"]

        wait_until(started_again, "another start of the process that hangs")
        assert processes.children["works"].process.pid == first["works"]
        assert processes.children["works"].exit_code is None
        assert processes.children["hangs"].restarts == 1


def test_children_that_end_for_good_are_reported_and_left(tmp_path: Path) -> None:
    with ChildProcesses(restart_min_s=0.05) as processes:
        supervisor = IngestSupervisor(processes, Watchdog(tmp_path))
        supervisor.start([child("done", "pass"), child("rejected", "raise SystemExit(1)")])
        ended: set[str] = set()

        def tend() -> None:
            ended.update(member.spec.name for member in supervisor.restart_crashed(time.monotonic()))

        wait_until(lambda: len(ended) == 2, "the ends of both", meanwhile=tend)
        assert ended == {"done", "rejected"}
        assert {member.spec.name for member in supervisor.restart_crashed(time.monotonic())} == ended
        assert {member.restarts for member in processes.children.values()} == {0}


def test_a_restarted_process_gets_its_full_time(tmp_path: Path) -> None:
    watchdog = Watchdog(tmp_path, stalled_after_s=10.0)
    with ChildProcesses() as processes:
        processes.start(watchdog.watched(child("slow", "import time; time.sleep(60)")))
        assert watchdog.check(processes.children, 100.0) == []
        assert watchdog.check(processes.children, 124.0) == []
        processes.children["slow"].process.kill()
        processes.children["slow"].process.wait()
        processes.start(watchdog.watched(child("slow", "import time; time.sleep(60)")))
        assert watchdog.check(processes.children, 126.0) == []
        assert watchdog.check(processes.children, 150.0) == []
        assert watchdog.check(processes.children, 151.5) == ["slow"]


def test_a_process_is_not_stalled_before_its_first_sign_of_life(tmp_path: Path) -> None:
    watchdog = Watchdog(tmp_path, stalled_after_s=10.0, from_first_sign=True)
    signs = tmp_path / "slow.progress"
    with ChildProcesses() as processes:
        processes.start(watchdog.watched(child("slow", "import time; time.sleep(60)")))
        assert watchdog.check(processes.children, 100.0) == []
        assert watchdog.check(processes.children, 1000.0) == []
        signs.write_bytes((1).to_bytes(8, "little"))
        assert watchdog.check(processes.children, 1001.0) == []
        assert watchdog.check(processes.children, 1010.0) == []
        assert watchdog.check(processes.children, 1011.5) == ["slow"]
