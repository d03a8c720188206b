"""The folder of a run that was given none: that of the same run if it was interrupted, else a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recordings.continuing.history import read_history
from recordings.continuing.plan import Wish, is_unfinished
from recordings.results.claims import taken
from recordings.results.new_folder import NAME, results_folder


@contextmanager
def run_folder(chosen: Path | None, wishes: Sequence[Wish], facts: Mapping[str, Any], *, fresh: bool) -> Iterator[Path]:
    """Return `chosen`, which the caller creates, or a folder in the current one.

    A new folder goes again if nothing was written into it. Raises OutputError.
    """
    unfinished = None if chosen is not None or fresh else _unfinished(wishes, facts)
    with results_folder(chosen or unfinished) as folder:
        yield folder


def _unfinished(wishes: Sequence[Wish], facts: Mapping[str, Any], parent: Path = Path()) -> Path | None:
    """Return the newest folder in `parent` with the same run, interrupted, and no run in it now; None without one."""
    found = []
    for folder in parent.glob(f"{NAME}*"):
        try:
            busy = taken(folder)
            if not busy and is_unfinished(wishes, facts, read_history(folder, busy)):
                found.append((folder.stat().st_mtime_ns, folder))
        except OSError:
            continue
    return max(found)[1] if found else None
