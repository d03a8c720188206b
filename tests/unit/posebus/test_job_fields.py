"""A job whose fields RQ could not read is given fields that it can, and a sentence."""

from __future__ import annotations

import json
import zlib
from typing import Any

import fakeredis
import pytest
from rq.serializers import JSONSerializer

from posebus.config.settings import Settings
from posebus.contract.job_fields import usable_fields
from posebus.errors import ConfigError
from recordings.jobs.functions import FUNCTIONS
from recordings.jobs.queue import QUEUE, RecordingJob

CALL = [next(iter(FUNCTIONS)), None, [{"video": "x"}], {}]
DEEP = b"[" * 100_000


def packed(call: object) -> bytes:
    return zlib.compress(json.dumps(call).encode())


GOOD = {
    b"data": packed(CALL),
    b"created_at": b"2026-01-01T00:00:00.000000Z",
    b"enqueued_at": b"2026-01-01T00:00:00Z",
    b"started_at": b"",
    b"timeout": b"-1",
    b"result_ttl": b"600",
    b"status": b"queued",
    b"origin": b"posebus",
    b"description": b"analyse x",
    b"meta": b"{}",
}
BAD: list[tuple[str, bytes]] = [
    ("data", b"garbage"),
    ("data", zlib.compress(b"{{")),
    ("data", zlib.compress(DEEP)),
    ("data", zlib.compress(b'"' + b"a" * 50_000_000 + b'"')),
    ("data", packed(5)),
    ("data", packed(["x"])),
    ("data", packed([5, None, [], {}])),
    ("data", packed(["x", None, {}, {}])),
    ("data", packed(["x", None, [], []])),
    ("timeout", b"abc"),
    ("timeout", b"9" * 40),
    ("result_ttl", b"x"),
    ("created_at", b"yesterday"),
    ("enqueued_at", b"\xff"),
    ("last_heartbeat", b"2026-13-01T00:00:00Z"),
    ("status", b"bogus"),
    ("meta", DEEP),
    ("meta", b"[]"),
    ("meta", b"\x80\x04garbage"),
    ("origin", b"\xff\xfe"),
    ("retries_left", b"1000000"),
    ("retry_intervals", b"[["),
]


def restored(fields: dict[bytes, Any]) -> RecordingJob:
    client = fakeredis.FakeRedis()
    client.hset("rq:job:one", mapping=fields)
    job = RecordingJob.fetch("one", connection=client, serializer=JSONSerializer)
    job.settings = Settings()
    return job


def test_fields_of_a_submitted_job_are_all_usable() -> None:
    fields, problem = usable_fields(GOOD, QUEUE)
    assert problem is None
    assert json.loads(fields["data"]) == CALL
    assert fields["timeout"] == b"-1"


@pytest.mark.parametrize(("name", "value"), BAD)
def test_job_with_a_field_of_no_use_can_be_fetched_and_fails_with_a_sentence(name: str, value: bytes) -> None:
    job = restored({**GOOD, name.encode(): value})
    with pytest.raises(ConfigError, match=f"^the job cannot be understood: its field {name} ") as failure:
        job._execute()
    assert str(failure.value).isprintable()
    assert job.meta["state"] == "failed"


def test_job_without_data_fails_with_a_sentence() -> None:
    with pytest.raises(ConfigError, match="it names no function"):
        restored({b"status": b"queued"})._execute()


def test_job_stays_unusable_after_its_fields_were_written_again() -> None:
    job = restored({**GOOD, b"timeout": b"abc"})
    job.restore(GOOD)
    with pytest.raises(ConfigError, match="its field timeout"):
        job._execute()


def test_what_recordings_do_not_need_is_left_out() -> None:
    extra = {
        b"success_callback_name": b"os.system",
        b"webhooks": b"[]",
        b"dependency_ids": b"[[",
        b"repeats_left": b"9",
    }
    fields, problem = usable_fields({**GOOD, **extra, b"\xff": b"x"}, QUEUE)
    assert problem is None
    assert set(fields) <= {name.decode() for name in GOOD}


def test_description_is_shown_without_control_characters() -> None:
    assert restored({**GOOD, b"description": b"\x1b]0;x\x07\nforged"}).description == "\\x1b]0;x\\x07\\nforged"
