"""The two formats of the log: UTC, fields, one line a record, no credentials."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from posebus.config.settings import CameraSettings, Settings
from posebus.errors import FatalError, LeaseLost
from posebus.logs.about import about
from posebus.logs.formats import JsonFormatter, LineFormatter
from posebus.logs.set_up import json_format, name_process, set_up_logging
from posebus.runtime.failures import complain, report_unexpected

SECRET = "hunter22"
ADDRESS = f"rtsp://admin:{SECRET}@cam/live"


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("posebus.ingest", logging.WARNING, "f", 1, message, arguments, None)
    vars(made).update(extra)
    return made


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = before
    logging.captureWarnings(False)


def written(log: logging.Logger, log_format: str = "json") -> io.StringIO:
    """Set the log up with a camera whose address holds a password; returns where its lines go."""
    settings = Settings(cameras={"door": CameraSettings(source=ADDRESS)}, log_format=log_format)
    set_up_logging(settings, "ingest")
    stream = io.StringIO()
    [handler] = log.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    return stream


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_times_are_utc_in_any_time_zone(zone: str) -> None:
    code = (
        "import logging; from posebus.logs.formats import LineFormatter;"
        "r = logging.LogRecord('x', 20, 'f', 1, 'm', (), None); r.created = 1764549001.0625;"
        "print(LineFormatter().format(r))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"TZ": zone, "PATH": ""}, capture_output=True, text=True, check=True
    )
    moment = datetime.fromisoformat(done.stdout.split()[0])
    assert moment == datetime.fromtimestamp(1764549001, UTC).replace(microsecond=62_000)
    assert done.stdout == "2025-12-01T00:30:01.062Z INFO x: m\n"


def test_json_line_has_the_fields_that_a_search_needs() -> None:
    made = record("camera %s: late", "door", **about("door", 7, 12))
    made.created = 1764549001.5
    assert json.loads(JsonFormatter("ingest", "ingest-host-1").format(made)) == {
        "time": "2025-12-01T00:30:01.500Z",
        "level": "warning",
        "logger": "posebus.ingest",
        "role": "ingest",
        "process": "ingest-host-1",
        "camera": "door",
        "epoch": 7,
        "seq": 12,
        "message": "camera door: late",
    }


def test_json_line_takes_the_camera_from_the_error_that_it_quotes() -> None:
    line = JsonFormatter("tracker", "t").format(record("%s", LeaseLost("it ran out", camera="yard")))
    assert json.loads(line)["camera"] == "yard"


def test_json_record_is_one_line_of_ascii_whatever_it_holds() -> None:
    line = JsonFormatter("worker", "w").format(record("reads %s", "a\x1b[2J\u2028b\n{}\udcff"))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == "reads a\x1b[2J\u2028b\n{}\udcff"


def test_json_record_whose_arguments_do_not_fit_is_kept() -> None:
    line = JsonFormatter("worker", "w").format(record("%d frames", "no number"))
    assert json.loads(line)["message"] == "%d frames ('no number',)"


def test_credentials_are_hidden_in_every_field(log: logging.Logger) -> None:
    stream = written(log)
    try:
        raise ValueError(f"no answer from {ADDRESS}, said {SECRET}")
    except ValueError:
        log.exception("a library said %s and %s", SECRET, ADDRESS, extra=about(SECRET))
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert SECRET not in text
    fields = json.loads(text)
    assert "ValueError: no answer from rtsp://***@cam" in fields["exception"]
    assert fields["message"].startswith("a library said *** and rtsp://***@cam")


def test_process_is_named_once_it_is_known(log: logging.Logger) -> None:
    stream = written(log)
    log.warning("before")
    name_process("ingest", "ingest-host-1-abc", "door")
    log.warning("after")
    log.warning("other", extra=about("yard"))
    before, after, other = map(json.loads, stream.getvalue().splitlines())
    assert before["process"].startswith("ingest-")
    assert "camera" not in before
    assert (after["process"], after["camera"]) == ("ingest-host-1-abc", "door")
    assert other["camera"] == "yard"


def test_errors_that_end_a_process_are_records_of_a_json_log(log: logging.Logger) -> None:
    stream = written(log)
    complain(FatalError(f"cannot read {ADDRESS}", camera="door"))
    error = RuntimeError(f"broken at {SECRET}")
    try:
        raise error
    except RuntimeError:
        report_unexpected(RuntimeError, error, None)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["camera"]) == ("error", "door")
    assert second["message"].startswith("unexpected RuntimeError: broken at ***")
    assert "RuntimeError: broken at ***" in second["exception"]
    assert SECRET not in stream.getvalue()


def test_text_log_stays_text(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    stream = written(log, "text")
    name_process("ingest", "ingest-host-1-abc", "door")
    log.warning("hello", extra=about("door"))
    complain(FatalError("no camera"))
    assert json_format() is None
    assert isinstance(log.handlers[0].formatter, LineFormatter)
    assert stream.getvalue().endswith("Z WARNING root: hello\n")
    assert capsys.readouterr().err == "posebus: no camera\n"
