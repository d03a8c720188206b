"""The two formats of log records: lines of text, and JSON objects. Both hide credentials and stay one line a record."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from posebus.config.harmless import HIDDEN
from posebus.config.redaction import redact_text, secret_parts
from posebus.errors import PoseBusError
from posebus.logs.about import CAMERA, EPOCH, SEQ
from posebus.plain_text import plain

LEAST_SECRET = 4
"""Shorter parts of an address are words or numbers that a log needs."""
MAX_RECORD = 20_000
"""Characters of one record, with its traceback; in JSON, of its message and of its traceback."""


def utc_time(seconds: float) -> str:
    """Unix time in seconds as RFC 3339 in UTC with milliseconds: 2026-12-01T12:30:01.123Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class _Redacting(logging.Formatter):
    def __init__(self, addresses: Iterable[str] = ()) -> None:
        """Hide also the parts of `addresses` that are hidden when one is shown, wherever they appear."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = secret_parts(addresses, LEAST_SECRET)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return utc_time(record.created)

    def _redacted(self, text: str) -> str:
        text = redact_text(text[:MAX_RECORD])
        return text if self._secrets is None else self._secrets.sub(HIDDEN, text)


class LineFormatter(_Redacting):
    """Removes credentials and control characters from every line: libraries log addresses, and tracebacks quote them.

    A record stays one line; those of a traceback are indented, so that a message cannot forge a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        first, *others = self._redacted(super().format(record)).split("\n")
        if not (record.exc_info or record.exc_text or record.stack_info):
            return plain("\n".join([first, *others]))
        return "\n".join([plain(first), *(f"  {plain(line)}" for line in others)])


class JsonFormatter(_Redacting):
    """A JSON object in one line for each record, with the fields

    time (RFC 3339, UTC, milliseconds), level, logger, role and process of this process, message; and where they are
    known: camera, epoch and seq (the frame), exception (a traceback).
    """

    def __init__(self, role: str, process: str, addresses: Iterable[str] = ()) -> None:
        """`role` and `process` are those of this process; `addresses` as for LineFormatter."""
        super().__init__(addresses)
        self.role = role
        self.process = process
        self.camera: str | None = None
        """The camera that all records of this process are about which name no other."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": utc_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "role": self.role,
            "process": self.process,
            **self._subject(record),
            "message": self._redacted(_message(record)),
        }
        trace = self._trace(record)
        if trace:
            fields["exception"] = self._redacted(trace)
        # ASCII alone: line separators of Unicode and broken surrogates of file names stay inside of the line, too.
        return json.dumps(fields, ensure_ascii=True)

    def _subject(self, record: logging.LogRecord) -> dict[str, object]:
        given = {name: getattr(record, name, None) for name in (CAMERA, EPOCH, SEQ)}
        if given[CAMERA] is None:
            given[CAMERA] = _camera_of_error(record) or self.camera
        return {
            name: self._redacted(value) if isinstance(value, str) else value
            for name, value in given.items()
            if isinstance(value, str | int)
        }

    def _trace(self, record: logging.LogRecord) -> str:
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        elif record.exc_text:
            parts.append(record.exc_text)
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a library's record whose arguments do not fit its text must not be lost
        return f"{record.msg} {record.args!r}"


def _camera_of_error(record: logging.LogRecord) -> str | None:
    """The camera of an error of posebus that the record quotes."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    raised = record.exc_info[1] if record.exc_info else None
    for one in (*arguments, raised):
        if isinstance(one, PoseBusError) and one.camera is not None:
            return one.camera
    return None
