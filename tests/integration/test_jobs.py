"""Recordings as jobs: submitted, run by RQ with a fleet that is running already, on a real broker."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rq import Callback, Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from posebus.bus.redis.connection import connect, open_broker
from posebus.bus.registry import Registry
from recordings.jobs.queue import QUEUE
from tests.conftest import missing, start_redis_server
from tests.integration.run_command import alive, children, posebus, start
from tests.integration.worker_and_tracker import worker_and_tracker
from tests.polling import wait_until


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a redis-server on a Unix socket, because jobs must work there, too."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    folder = tmp_path_factory.mktemp("jobs")
    process, _ = start_redis_server(str(program), folder, "--unixsocket", str(folder / "s"))
    yield f"unix://{folder / 's'}"
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def fleet(broker: str, engine_cache: Path) -> Iterator[str]:
    """The address of the broker, with a running worker and tracker."""
    with worker_and_tracker(broker, engine_cache):
        yield broker


@pytest.fixture
def jobs_worker(broker: str, engine_cache: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(engine_cache, "jobs", "work", "--redis", broker)
    yield process
    process.kill()
    process.communicate()


def submit(cache: Path, broker: str, out: Path, *videos: Path | str, options: tuple[str, ...] = ()) -> list[str]:
    """Submit `videos`; returns the ids of the jobs."""
    done = posebus(cache, "submit", *videos, "--out", out, "--redis", broker, "--json", *options)
    return [entry["job"] for entry in json.loads(done.stdout)]


def fetch(broker: str, job_id: str) -> Job:
    return Job.fetch(job_id, connection=connect(broker), serializer=JSONSerializer)


def rq_info(broker: str) -> str:
    command = [str(Path(sys.executable).with_name("rq")), "info", "-u", broker, "--raw"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def traces(broker: str) -> list[str]:
    """Return the keys of cameras that are left in the broker."""
    keys = {key.decode() for key in connect(broker).keys("posebus:*")}
    return sorted(keys - {"posebus:{0}:events", "posebus:{0}:processes"})


def test_jobs_write_the_files_of_a_run_and_report_their_progress(
    shared_data: Path, fleet: str, engine_cache: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "my cut.avi"
    cut.write_bytes((shared_data / "vtest.avi").read_bytes()[:400_000])
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    out = tmp_path / "out"
    options = ("--format", "csv,mot", "--no-snapshots")
    clip, broken = submit(engine_cache, fleet, out, cut, tmp_path / "missing.mp4", text, options=options)
    assert "queue posebus 2, 0 executing" in rq_info(fleet)
    worker = posebus(engine_cache, "jobs", "work", "--burst", "--redis", fleet)
    assert worker.returncode == 0, worker.stderr
    assert "queue posebus 0, 0 executing, 1 finished, 1 failed" in rq_info(fleet)

    job = fetch(fleet, clip)
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    frames = summary["inputs"][0]["frames"]
    assert job.get_status() == "finished"
    assert job.return_value()["frames"] == frames > 10
    assert (job.meta["state"], job.meta["frames"], job.meta["drawn"]) == ("done", frames, frames)
    assert job.meta["fps"] > 0
    assert "is not a video" in fetch(fleet, broken).meta["error"]
    assert [failed["name"] for failed in summary["failed"]] == ["text"]
    assert {path.name for path in out.iterdir()} == {
        "my cut.tracks.jsonl",
        "my cut.mot.txt",
        "my cut.tracks.csv",
        "my cut.people.csv",
        "my cut.events.jsonl",
        "my cut.events.csv",
        "my cut.annotated.mp4",
        "summary.json",
    }
    assert len((out / "my cut.tracks.jsonl").read_text().splitlines()) == frames
    assert traces(fleet) == []


def test_stopped_job_cleans_up_and_reports_it(
    shared_data: Path, fleet: str, engine_cache: Path, tmp_path: Path, jobs_worker: subprocess.Popen[str]
) -> None:
    (job_id,) = submit(engine_cache, fleet, tmp_path, shared_data / "vtest.avi", options=("--no-video",))
    wait_until(lambda: fetch(fleet, job_id).meta.get("frames"), "progress in the job")
    family = children(jobs_worker.pid)
    assert "executing" in rq_info(fleet)
    jobs_worker.send_signal(signal.SIGTERM)
    # RQ counts two signals within a second as one.
    with pytest.raises(subprocess.TimeoutExpired):
        jobs_worker.wait(1.2)
    jobs_worker.send_signal(signal.SIGTERM)
    jobs_worker.wait(timeout=30)
    job = fetch(fleet, job_id)
    assert job.get_status() == "failed"
    assert "the job was stopped" in job.meta["error"]
    assert alive(family) == set()
    assert (tmp_path / "vtest.tracks.jsonl.partial").exists()
    assert traces(fleet) == []


def test_functions_that_are_not_offered_are_not_run(broker: str, engine_cache: Path, tmp_path: Path) -> None:
    queue = Queue(QUEUE, connection=connect(broker), serializer=JSONSerializer)
    witness = tmp_path / "witness"
    job = queue.enqueue_call("os.mkdir", args=(str(witness),), on_failure=Callback("os.abort"))
    done = posebus(engine_cache, "jobs", "work", "--burst", "--redis", broker)
    assert done.returncode == 0
    job.refresh()
    assert job.get_status() == "failed"
    assert "'os.mkdir', which is not offered here" in job.meta["error"]
    assert not witness.exists()


def test_hostile_entries_of_the_queue_do_not_stop_it(redis_server: str, engine_cache: Path, tmp_path: Path) -> None:
    client = connect(redis_server)
    client.flushall()
    (good_id,) = submit(engine_cache, redis_server, tmp_path, Path(__file__))
    good = client.hgetall(f"rq:job:{good_id}")
    client.delete(f"rq:queue:{QUEUE}")
    client.hset("rq:job:late", mapping={**good, "timeout": "abc", "description": "\x1b]0;pwned\x07\nforged"})
    client.hset("rq:job:deep", mapping={**good, "data": b"[" * 100_000})
    client.set("rq:job:text", "not a hash")
    client.rpush(f"rq:queue:{QUEUE}", b"\xff\xfe", "\x1b[31mid", "text", "late", "deep", good_id)
    client.zadd(f"rq:failed:{QUEUE}", {b"\xff": 1})
    done = posebus(engine_cache, "jobs", "work", "--burst", "--redis", redis_server)
    told = done.stdout + done.stderr
    assert done.returncode == 0
    assert client.llen(f"rq:queue:{QUEUE}") == 0
    assert [client.hget(f"rq:job:{name}", "status") for name in ("late", "deep", good_id)] == [b"failed"] * 3
    assert "the job cannot be understood: its field timeout" in fetch(redis_server, "late").meta["error"]
    assert told.count("is no job and was dropped") == 3
    assert "Traceback" not in told
    assert told.replace("\n", "").isprintable()
    assert "\nforged" not in told


def test_job_without_a_fleet_fails_with_an_error(
    shared_data: Path, redis_server: str, engine_cache: Path, tmp_path: Path
) -> None:
    connect(redis_server).flushall()
    (job_id,) = submit(engine_cache, redis_server, tmp_path, shared_data / "vtest.avi")
    job = fetch(redis_server, job_id)
    job.args = ({**job.args[0], "fleet_patience_s": 0.5},)
    job.save()
    posebus(engine_cache, "jobs", "work", "--burst", "--redis", redis_server)
    assert fetch(redis_server, job_id).meta["error"].startswith("no worker and no tracker at redis://127.0.0.1")
    assert Registry(open_broker(redis_server)).cameras() == []


def test_submitting_without_a_usable_broker_is_an_error(engine_cache: Path, tmp_path: Path) -> None:
    unreachable = posebus(
        engine_cache, "submit", "clip.mp4", "--out", tmp_path, "--redis", "redis://:secret@127.0.0.1:1"
    )
    assert unreachable.returncode == 1
    assert "no answer from the broker" in unreachable.stderr
    assert "is 'posebus up' or another broker running there?" in unreachable.stderr
    assert "secret" not in unreachable.stderr
