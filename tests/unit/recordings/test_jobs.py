"""Jobs run functions of a fixed list with validated options."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from rq.job import Job
from rq.serializers import JSONSerializer

from posebus.config.settings import CAMERA_NAME_PATTERN, Settings
from posebus.errors import ConfigError, OutputError, SourceRejected
from recordings.inputs import Part
from recordings.jobs.functions import FUNCTIONS, RecordingOptions, analyse_recording, job_camera
from recordings.jobs.queue import RecordingJob, submit
from recordings.progress import Silent
from recordings.results.claims import claimed

OPTIONS = {"video": "/nowhere/clip.mp4", "out": "/tmp", "name": "clip", "batch": "b"}


@pytest.fixture
def client() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)))


def job(client: fakeredis.FakeRedis, function: str, *args: Any, **changes: Any) -> RecordingJob:
    made = RecordingJob.create(function, args=args, connection=client, serializer=JSONSerializer, **changes)
    made.settings = Settings()
    return made


def test_submitted_job_names_an_offered_function_and_carries_json(client: fakeredis.FakeRedis, tmp_path: Path) -> None:
    jobs = submit(client, ["a/clip.mp4", "b/clip.mp4"], tmp_path / "out")
    found = [Job.fetch(one.id, connection=client, serializer=JSONSerializer) for one in jobs]
    assert {one.func_name for one in found} == set(FUNCTIONS)
    assert [one.args[0]["name"] for one in found] == ["clip", "clip-2"]
    assert len({one.args[0]["batch"] for one in found}) == 1
    assert all(Path(one.args[0][field]).is_absolute() for one in found for field in ("video", "out"))
    assert {one.timeout for one in found} == {-1}
    assert {one.origin for one in found} == {"posebus"}


@pytest.mark.parametrize("function", ["os.system", "builtins.eval", "recordings.jobs.forget_recording", ""])
def test_other_functions_are_refused_without_being_imported(client: fakeredis.FakeRedis, function: str) -> None:
    with pytest.raises(ConfigError, match="which is not offered here"):
        job(client, function, "echo no")._execute()


def test_callbacks_of_a_job_are_ignored(client: fakeredis.FakeRedis) -> None:
    made = job(client, "recordings.jobs.analyse_recording", OPTIONS)
    for kind in ("success", "failure", "stopped"):
        setattr(made, f"_{kind}_callback_name", "os.system")
    assert (made.success_callback, made.failure_callback, made.stopped_callback) == (None, None, None)


def test_error_of_a_failed_job_is_written_into_its_meta(client: fakeredis.FakeRedis, tmp_path: Path) -> None:
    made = job(client, "recordings.jobs.analyse_recording", {**OPTIONS, "out": str(tmp_path)})
    made.save()
    with pytest.raises(SourceRejected):
        made._execute()
    meta = Job.fetch(made.id, connection=client, serializer=JSONSerializer).meta
    assert meta == {"state": "failed", "error": "there is no file /nowhere/clip.mp4; check the path"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"video": None}, "video"), ({"name": "../x"}, "name"), ({"command": "rm"}, "command"), ({"draw": 7}, "draw")],
)
def test_options_are_validated_where_the_job_runs(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError, match=f"options cannot be used: {field}"):
        analyse_recording({**OPTIONS, **changes}, Settings(), "id", Silent())


def test_options_that_are_not_a_mapping_are_refused() -> None:
    with pytest.raises(ConfigError, match="options cannot be used"):
        analyse_recording("clip.mp4", Settings(), "id", Silent())


def test_each_job_has_a_camera_of_its_own() -> None:
    first, second = (job_camera("my clip", run_id) for run_id in ("0a1b2c3d-aaaa", "0a1b2c3d-bbbb"))
    assert first != second
    assert re.match(CAMERA_NAME_PATTERN, first)
    assert first == job_camera("my clip", "0a1b2c3d-aaaa")


def test_unforeseen_error_is_the_failure_of_its_job_in_one_sentence(
    client: fakeredis.FakeRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("in the\ndecoder")

    monkeypatch.setattr("recordings.jobs.functions.open_recording", fail)
    made = job(client, "recordings.jobs.analyse_recording", {**OPTIONS, "out": str(tmp_path)})
    made.save()
    with pytest.raises(SourceRejected):
        made._execute()
    sentence = "unexpected ZeroDivisionError with /nowhere/clip.mp4: in the decoder (please report it)"
    assert json.loads((tmp_path / "summary.json").read_text())["failed"] == [{"name": "clip", "error": sentence}]
    meta = Job.fetch(made.id, connection=client, serializer=JSONSerializer).meta
    assert meta == {"state": "failed", "error": sentence}


def test_job_whose_files_another_run_is_writing_is_refused(tmp_path: Path) -> None:
    with (
        claimed(tmp_path, lambda used: ["clip"]),
        pytest.raises(OutputError, match=r"being written into .* by another"),
    ):
        analyse_recording({**OPTIONS, "out": str(tmp_path)}, Settings(), "id", Silent())
    assert list(tmp_path.iterdir()) == []


def test_jobs_can_have_names_and_a_part_of_their_recording(client: fakeredis.FakeRedis, tmp_path: Path) -> None:
    (whole,) = submit(client, ["clip.mp4"], tmp_path)
    assert "part" not in whole.args[0], "a process of an older release would refuse it"
    (part,) = submit(client, ["clip.mp4"], tmp_path, names=["day1-clip"], part=Part(start_s=1.0, every=2))
    options = RecordingOptions.model_validate(json.loads(json.dumps(part.args[0])))
    assert (options.name, options.part) == ("day1-clip", Part(start_s=1.0, every=2))
    with pytest.raises(ConfigError, match="options cannot be used: part"):
        analyse_recording({**OPTIONS, "part": {"every": -1}}, Settings(), "id", Silent())
