"""How a process of posebus ends when something goes wrong: one sentence on standard error, and an exit code.

With POSEBUS_DEBUG=1 in the environment it ends with a traceback instead.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from posebus.config.redaction import redact_text
from posebus.errors import PoseBusError
from posebus.installed.extras import missing_package
from posebus.logs.about import about
from posebus.logs.set_up import json_format
from posebus.plain_text import plain, plain_lines

log = logging.getLogger("posebus")
DEBUG_VARIABLE = "POSEBUS_DEBUG"
FAILED = 1
INTERRUPTED = 130


def run_and_report(command: Callable[[], object]) -> int:
    """Run `command` and return its exit code: 0, FAILED after an error of posebus, INTERRUPTED after Ctrl-C.

    Other errors reach Python's exception hooks, which report one line from here on (`report_unexpected`), or with
    POSEBUS_DEBUG=1 the traceback; neither shows credentials.
    """
    sys.excepthook = _write_traceback if _debugging() else report_unexpected
    threading.excepthook = _report_in_thread
    try:
        command()
    except PoseBusError as error:
        if _debugging():
            raise
        complain(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def complain(error: object, trace: BaseException | None = None) -> None:
    """Write one sentence to standard error, without credentials and control characters. The process may go on.

    Where the log is JSON, it is a record of the log, with the traceback of `trace`.
    """
    if json_format() is not None:
        camera = error.camera if isinstance(error, PoseBusError) else None
        log.error("%s", error, exc_info=trace, extra=about(camera))
        return
    sys.stderr.write(f"posebus: {plain_lines(redact_text(str(error)))}\n")


def in_one_sentence(error: Exception, about: object = None) -> str:
    """Return what to tell users about `error`: its own sentence, or for an unforeseen one its kind, text and subject.

    `about` is the file or camera that was in work.
    """
    if isinstance(error, PoseBusError):
        return str(error)
    # Redacted before it is cut: half an address does not look like one.
    text = " ".join(redact_text(str(error)).split())[:500]
    where = "" if about is None else f" with {about}"
    return f"unexpected {type(error).__name__}{where}: {text} (please report it)"


def report_unexpected(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """An exception hook: it reports an unexpected error in one line, without credentials.

    A package that is not installed is expected: each machine has the extras of its stages only.
    """
    missing = missing_package(error)
    if missing is not None:
        complain(missing)
        return
    # Redacted before it is cut: half an address does not look like one.
    text = " ".join(redact_text(str(error)).split())[:500]
    complain(f"unexpected {kind.__name__}: {text} (set {DEBUG_VARIABLE}=1 to see where, and please report it)", error)


def _write_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if json_format() is not None:
        log.error("%s", in_one_sentence(error) if isinstance(error, Exception) else kind.__name__, exc_info=error)
        return
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write("".join(f"{plain(line)}\n" for line in redact_text(text).splitlines()))


def _report_in_thread(hook: threading.ExceptHookArgs) -> None:
    sys.excepthook(hook.exc_type, hook.exc_value or hook.exc_type(), hook.exc_traceback)


def _debugging() -> bool:
    return os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}
