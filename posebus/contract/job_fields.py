"""The fields of a job in RQ's queue, checked before RQ reads them. Pure.

Anybody who can write to the broker can write a job, and RQ takes its fields for its own: one that it cannot parse would
end the process that works on the queue, and the job would come back at each start.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from posebus.contract.foreign_json import WRONG_DATA, load_json, load_object, whole
from posebus.errors import MalformedMessage
from posebus.plain_text import plain

MAX_DATA_BYTES = 1_000_000
MAX_META_BYTES = 1_000_000
MAX_TEXT = 500
LONGEST_S = 10**9
MOST_RETRIES = 100
STATES = frozenset(
    {"created", "queued", "finished", "failed", "started", "deferred", "scheduled", "stopped", "canceled"}
)
_DATES = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ")
_NOTHING = json.dumps(["", None, [], {}]).encode()
"""The call of a job whose own cannot be read."""


def usable_fields(raw: Mapping[Any, Any], queue: str) -> tuple[dict[str, Any], str | None]:
    """The fields of a job that RQ can use, and a sentence about the first one that it could not; None if all are fine.

    Fields that recordings do not need are left out: callbacks, webhooks, repetitions and dependencies.
    """
    problems: list[str] = []
    fields: dict[str, Any] = {"data": _NOTHING, "origin": queue}
    named = {_name(key): value for key, value in raw.items()}
    if "data" not in named:
        problems.append("it names no function")
    for name, read in _FIELDS.items():
        value = named.get(name)
        if value is None or (value == b"" and name != "data"):
            continue
        try:
            fields[name] = read(bytes(value))
        except (MalformedMessage, zlib.error, *WRONG_DATA) as error:
            problems.append(f"its field {name} is of no use ({plain(str(error), 100)})")
    problem = f"the job cannot be understood: {problems[0]}; submit the recording again" if problems else None
    return fields, problem


def _name(key: Any) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def _call(value: bytes) -> bytes:
    """The call of a job as JSON: the name of a function, None, its arguments."""
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(value, MAX_DATA_BYTES)
        if inflate.unconsumed_tail:
            raise MalformedMessage(f"it has more than {MAX_DATA_BYTES} bytes")
    except zlib.error:
        text = value
    call = load_json(text, "it", MAX_DATA_BYTES)
    if not isinstance(call, list) or len(call) != 4:
        raise ValueError("it is no call of a function")
    function, _, positional, named = call
    if not isinstance(function, str) or not isinstance(positional, list) or not isinstance(named, dict):
        raise ValueError("it is no call of a function")
    return text


def _date(value: bytes) -> bytes:
    text = value.decode()
    for pattern in _DATES:
        try:
            datetime.strptime(text, pattern)
        except ValueError:
            continue
        return value
    raise ValueError("it is no date")


def _text(value: bytes) -> bytes:
    return plain(value.decode(), MAX_TEXT).encode()


def _state(value: bytes) -> bytes:
    if value.decode() not in STATES:
        raise ValueError("there is no such state")
    return value


def _meta(value: bytes) -> bytes:
    load_object(value, "it", MAX_META_BYTES)
    return value


def _seconds(value: bytes) -> bytes:
    return str(whole(value, least=-1, most=LONGEST_S)).encode()


def _retries(value: bytes) -> bytes:
    return str(whole(value, most=MOST_RETRIES)).encode()


def _intervals(value: bytes) -> bytes:
    return json.dumps([whole(one, most=LONGEST_S) for one in load_json(value, "it", MAX_META_BYTES)]).encode()


_FIELDS: Mapping[str, Callable[[bytes], bytes]] = {
    "data": _call,
    "status": _state,
    "timeout": _seconds,
    "created_at": _date,
    "enqueued_at": _date,
    "started_at": _date,
    "ended_at": _date,
    "last_heartbeat": _date,
    "origin": _text,
    "description": _text,
    "worker_name": _text,
    "meta": _meta,
    "result_ttl": _seconds,
    "failure_ttl": _seconds,
    "ttl": _seconds,
    "number_of_retries": _retries,
    "retries_left": _retries,
    "retry_intervals": _intervals,
}
