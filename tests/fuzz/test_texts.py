"""Addresses with passwords of any characters, and jobs with any fields, in whatever text they stand."""

from __future__ import annotations

import json
import random
import zlib

import pytest
from fuzz.inputs import BYTES, fields, fuzz

from posebus.config.redaction import harmless, redact_text, redact_url
from posebus.contract.job_fields import usable_fields

pytestmark = pytest.mark.timeout(1800)

SECRET = "S3cr3t"
JUNK = "ab1 /@?#:;&=%<>\"'`\\[](){}|,.!$*+~^é\u202e\t"
AROUND = ("{}", "camera {} is away", "['{}', 'rtsp://h/1']", '"{}",', "a: {}\nb", "x={}&y=2", "no {} and {}")


def login(rng: random.Random) -> str:
    """An address with a password of arbitrary characters."""
    before, after = ("".join(rng.choices(JUNK, k=rng.randrange(6))) for _ in range(2))
    scheme = rng.choice(("rtsp://", "http://", "rediss://", "rtsp:/"))
    return f"{scheme}u:{before}{SECRET}{after}@h/live?channel=1"


def query(rng: random.Random) -> str:
    """An address with a secret in a parameter, between characters that do not end an address."""
    before, after = (
        "".join(rng.choices(JUNK.replace(" ", "").replace("\t", ""), k=rng.randrange(6))) for _ in range(2)
    )
    name = rng.choice(("password", "p", "loginpas", "token", "x", "fps"))
    return f"http://h/video.cgi?{name}={before}{SECRET}{after}"


@pytest.mark.parametrize("make", [login, query])
def test_secret_among_any_characters_is_hidden(make: object, thorough: bool) -> None:
    rng = random.Random(0)

    def check(address: str) -> None:
        assert SECRET not in redact_url(address)
        assert SECRET not in redact_text(rng.choice(AROUND).replace("{}", address))
        assert harmless(address).isprintable()

    fuzz(make, 10_000 if thorough else 1000, check)  # type: ignore[arg-type]


JOBS = [
    {
        b"data": zlib.compress(json.dumps(["recordings.jobs.analyse_recording", None, [{"video": "x"}], {}]).encode()),
        b"created_at": b"2026-01-01T00:00:00.000000Z",
        b"timeout": b"-1",
        b"status": b"queued",
        b"origin": b"posebus",
        b"meta": b"{}",
        b"retry_intervals": b"[1]",
    }
]


def test_damaged_jobs_have_usable_fields_or_a_sentence(thorough: bool) -> None:
    def check(raw: dict[bytes, bytes]) -> None:
        usable, problem = usable_fields(raw, "posebus")
        function, _instance, positional, named = json.loads(_inflated(usable["data"]))
        assert isinstance(function, str)
        assert isinstance(positional, list)
        assert isinstance(named, dict)
        assert problem is None or problem.isprintable()

    fuzz(fields(JOBS), 10_000 if thorough else 1000, check)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


def test_bytes_that_broke_programs_break_no_text() -> None:
    for value in BYTES:
        assert harmless(value.decode(errors="replace")[:5000]).isprintable()
