"""Recordings as jobs in a queue of RQ: submitting them, and the process that works on them.

Jobs are stored as JSON: RQ's default, pickle, would run any code that a job carries.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import redis
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from posebus.bus.redis.connection import Client
from posebus.config.local_files import local_path, same_for_children
from posebus.config.redaction import harmless
from posebus.config.settings import Settings
from posebus.contract.foreign_json import WRONG_DATA
from posebus.contract.job_fields import usable_fields
from posebus.errors import ConfigError, FatalError, PoseBusError
from posebus.runtime.failures import in_one_sentence
from recordings.inputs import WHOLE, Part, file_names
from recordings.interrupts import interruptible
from recordings.jobs.functions import ANALYSE_RECORDING, FUNCTIONS, RecordingOptions, forget_recording
from recordings.results.result_files import ALL_FILES, WantedFiles

QUEUE = "posebus"
NO_TIMEOUT = -1
"""A long video needs long. A job that hangs is noticed by the watch over the fleet and the source."""
RESULT_KEPT_S = 7 * 24 * 3600
META_EVERY_S = 1.0
STOP_TIMEOUT_S = 30.0


def submit(
    client: Client,
    videos: Sequence[str],
    out: Path,
    files: WantedFiles = ALL_FILES,
    *,
    names: Sequence[str] | None = None,
    part: Part = WHOLE,
) -> list[Job]:
    """Enqueue one job for each of `videos`; the paths must be the same on the machine where the jobs run.

    `names` are those of their files, by default made from the videos. Only `part` of each is analysed.
    """
    queue = Queue(QUEUE, connection=client, serializer=JSONSerializer)
    batch = uuid.uuid4().hex
    jobs = []
    for video, name in zip(videos, file_names(videos) if names is None else names, strict=True):
        path, folder = local_path(video).resolve(), out.resolve()
        source = same_for_children(str(path))
        options = RecordingOptions(
            video=source,
            out=str(folder),
            name=name,
            batch=batch,
            draw=files.video,
            snapshots=files.snapshots,
            privacy=files.privacy,
            formats=tuple(files.formats),
            part=part,
        )
        job = queue.enqueue_call(
            ANALYSE_RECORDING,
            # A process of an older release refuses fields that it does not know.
            args=(options.model_dump(exclude_defaults=True),),
            timeout=NO_TIMEOUT,
            result_ttl=RESULT_KEPT_S,
            description=f"analyse {source}",
            meta={"state": "queued", "name": name},
        )
        jobs.append(job)
    return jobs


class RecordingJob(Job):  # type: ignore[misc]
    """A job that runs one of `FUNCTIONS` and nothing else: RQ would import any function that a job names."""

    settings: Settings | None = None
    problem: str | None = None
    success_callback = failure_callback = stopped_callback = None

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Take the fields that can be used; `problem` is a sentence about the others, which makes the job fail."""
        fields, problem = usable_fields(raw_data, QUEUE)
        # RQ may have replaced a field that was of no use in the meantime.
        self.problem = self.problem or problem
        self._left_out = [name for name in raw_data if name.decode(errors="replace") not in fields] or ["-"]
        super().restore(fields)

    def _execute(self) -> Any:
        try:
            with interruptible((signal.SIGTERM,)):
                result = self._run()
        except KeyboardInterrupt:
            stopped = FatalError("the job was stopped before its end; submit it again")
            self.note(state="failed", error=str(stopped))
            raise stopped from None
        except Exception as error:
            self.note(state="failed", error=harmless(in_one_sentence(error, about=self.meta.get("name"))))
            raise
        self.note(state="done")
        return result

    def _run(self) -> Any:
        if self.problem is not None:
            # Other programs, like `rq info`, could not read them either.
            self.connection.hdel(self.key, *self._left_out)
            self.save()
            raise ConfigError(self.problem)
        function = FUNCTIONS.get(self.func_name)
        if function is None or self.instance is not None or len(self.args) != 1 or self.kwargs:
            allowed = ", ".join(FUNCTIONS)
            raise ConfigError(
                f"a job asked for {self.func_name!r:.100}, which is not offered here; jobs may run: {allowed}"
            )
        if self.settings is None:
            raise ConfigError("this job can only be run by `posebus jobs work`")
        return function(self.args[0], self.settings, self.id, MetaProgress(self))

    def note(self, **changes: object) -> None:
        """Write `changes` into the job's meta, where `rq` and other programs can read it."""
        self.meta.update(changes)
        self.save_meta()

    def send_webhooks(self, status: object, *, exc_string: str | None = None) -> None:
        """Send nothing: anyone who can write a job could choose the addresses."""


class MetaProgress:
    """Writes progress into the job's meta, at most once a second: state, frames, total, fps."""

    def __init__(self, job: RecordingJob) -> None:
        self._job = job
        self._next_s = 0.0
        self._newest: dict[str, object] = {}

    def status(self, text: str) -> None:
        self._job.note(state=text)

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        if name == self._job.meta.get("name"):
            self._newest = {"state": "analysing", "frames": done, "total": total, "fps": fps}
        else:
            self._newest = {"state": "drawing the video", "drawn": done}
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + META_EVERY_S
            self._job.note(**self._newest)

    def finish(self, name: str) -> None:
        self._job.note(**self._newest)


class RecordingWorker(Worker):  # type: ignore[misc]
    """RQ's worker, which forks a child for each job, with our list of functions. Set `settings` before `work`."""

    job_class = RecordingJob
    settings: Settings | None = None

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """The next job. An entry of the queue that names none, or one that cannot be read, is dropped with a line."""
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except (*WRONG_DATA, redis.ResponseError) as error:
                if isinstance(error, redis.exceptions.NoPermissionError | redis.exceptions.ReadOnlyError):
                    raise
                entry = getattr(error, "job_id", None) or getattr(error, "object", b"")
                name = entry.decode(errors="replace") if isinstance(entry, bytes) else str(entry)
                self.connection.lrem(f"rq:queue:{QUEUE}:intermediate", 0, entry)
                self.log.error("an entry of the queue is no job and was dropped: %s (%s)", name, error)

    def run_maintenance_tasks(self) -> None:
        """RQ's own tidying, which an entry of its registries that it cannot read must not end."""
        try:
            super().run_maintenance_tasks()
        except (*WRONG_DATA, redis.ResponseError) as error:
            self.log.warning("the registries of the queue could not be tidied: %s", error)

    def perform_job(self, job: RecordingJob, queue: Queue, execution: Any) -> bool:
        job.settings = self.settings
        return bool(super().perform_job(job, queue, execution))

    def handle_exception(self, job: RecordingJob, *exc_info: Any) -> None:
        if isinstance(exc_info[1], PoseBusError):
            self.log.error("job %s failed: %s", job.id, exc_info[1])
        else:
            super().handle_exception(job, *exc_info)

    def kill_horse(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Terminate the job's process, so that it stops its own children; kill it only if that takes too long."""
        super().kill_horse(signal.SIGTERM)
        end_s = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < end_s:
            try:
                if os.waitid(os.P_PID, self.horse_pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    return
            except ChildProcessError:
                return
            time.sleep(0.05)
        super().kill_horse(signal.SIGKILL)

    def handle_work_horse_killed(self, job: RecordingJob, retpid: int, ret_val: int, rusage: Any) -> None:
        """Remove what a job's process left in the broker when it was killed, for instance out of memory."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        if self.settings is None or job.func_name not in FUNCTIONS:
            return
        job.get_meta()  # the process that was killed had written to it
        job.note(state="failed", error="the process of the job was killed; was the machine out of memory?")
        try:
            forget_recording(job.args[0] if job.args else None, self.settings, job.id)
        except PoseBusError as error:
            self.log.warning("the streams of job %s could not be removed from the broker: %s", job.id, error)


def work(client: Client, settings: Settings, *, burst: bool) -> None:
    """Run jobs until SIGTERM or Ctrl-C, or with `burst` until the queue is empty.

    After the first signal the running job finishes; the second one stops it in order.
    """
    worker = RecordingWorker([QUEUE], connection=client, serializer=JSONSerializer)
    worker.settings = settings
    worker.work(burst=burst)
