"""How the files of tests are given to the processes of pytest-xdist, so that a run ends when one of them dies.

The scheduler of pytest-xdist 3.8 gives the files of a dead process to others as they were: completed ones, in which
nothing is left to run, and the test that ended the process, which ends the next one as well. A process with nothing to
run reports nothing, is never given anything again, and the run never ends (pytest-xdist issues 1327, 1371 and 1378).
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class SchedulingThatEnds(LoadFileScheduling):
    """Files at a time, as `--dist loadfile`. The test that ended a process has failed, and is not run again."""

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        test = self.registered_collections[node][item_index]
        files = self.assigned_work[node]
        file = self._split_scope(test)
        files[file][test] = True
        if all(files[file].values()):
            del files[file]
        self._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        files = self.assigned_work.pop(node)
        pending = [(file, test) for file, tests in files.items() for test, is_done in tests.items() if not is_done]
        if not pending:
            return None
        file, running = pending[0]
        files[file][running] = True
        self.workqueue.update({file: tests for file, tests in files.items() if not all(tests.values())})
        for other in self.nodes:
            self._reschedule(other)
        return running

    def _reschedule(self, node: WorkerController) -> None:
        if node not in self.registered_collections:
            return  # it replaces one that died and still collects
        # A process begins a test when it knows the next one or that there is none, so one file of one test is too few.
        while not node.shutting_down and self.workqueue and self._pending_of(self.assigned_work[node]) <= 2:
            self._assign_work_unit(node)
        if not self.workqueue and not node.shutting_down:
            node.shutdown()
