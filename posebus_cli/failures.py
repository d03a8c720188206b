"""What the command says when something goes wrong: one sentence, and a traceback only for those who ask for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from posebus.errors import PoseBusError

DEBUG_VARIABLE = "POSEBUS_DEBUG"
FAILED = 1
INTERRUPTED = 130


def run_and_report(command: Callable[[], object]) -> int:
    """Runs `command` and returns the exit code; errors that nobody foresaw end in `unforeseen`."""
    if not _debugging():
        sys.excepthook = unforeseen
        threading.excepthook = _unforeseen_in_thread
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


def complain(error: object) -> None:
    """One sentence on standard error. For commands that go on after it, too."""
    from posebus.config.redaction import redact_text

    print(f"posebus: {redact_text(str(error))}", file=sys.stderr)


def unforeseen(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """An exception hook: says in one line what broke, without the addresses' passwords."""
    text = " ".join(str(error).split())[:500]
    complain(f"unexpected {kind.__name__}: {text} (set {DEBUG_VARIABLE}=1 to see where, and please report it)")


def _unforeseen_in_thread(hook: threading.ExceptHookArgs) -> None:
    unforeseen(hook.exc_type, hook.exc_value or hook.exc_type(), hook.exc_traceback)


def _debugging() -> bool:
    return os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}
