"""What the summaries in a folder of results say about the runs that wrote into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from recordings.continuing.identity import Identity
from recordings.inputs.part import WHOLE
from recordings.results.files import PARTIAL
from recordings.results.result_files import ResultFiles
from recordings.summary import FILE_NAME, Summary, merged, read_summary

SOURCES = "sources"
"""The field of a summary with the identity of every input of the run by name, those that are not finished, too."""
MADE_WITH = ("settings", "model", "part", "camera", "versions")
"""The fields of a summary that say what results were made with."""
REPORTED = ("engine", "precision", "imgsz")
"""The fields of a summary that the workers reported."""
_SUMMARY = re.compile(rf"summary(-[0-9]+)?\.json({re.escape(PARTIAL)})?")
_OF_NO_ACCOUNT = {"workers"}
"""Settings that change no result."""


class _Named(BaseModel):
    name: str


class _Finished(_Named):
    frames: int
    processing_s: float
    dropped: int
    source: dict[str, Any]


class _Usable(BaseModel):
    """What must be in a summary for a later run to go on with it."""

    sources: dict[str, dict[str, Any]]
    inputs: list[_Finished]
    warnings: list[_Named]
    failed: list[_Named]
    wall_s: float


@dataclass(slots=True)
class History:
    """The runs of a folder, those that are under way left out.

    `done` is one summary of all inputs that are finished, None if no run has finished one; `sources` are the inputs of
    all runs by name. `unfinished`: a run was interrupted. `unknown` is the name of a summary that does not say what its
    results were made from, as those of jobs and of older releases.
    """

    done: Summary | None = None
    sources: dict[str, Identity] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)
    unfinished: bool = False
    unknown: str | None = None
    differing: str | None = None
    """Where two runs were made with different settings: what differs."""


def read_history(folder: Path, busy: Set[str]) -> History:
    """Return the history of `folder`; `busy` are the names that runs under way have taken. Reads, changes nothing."""
    history = History()
    for path in summaries(folder, busy):
        summary = read_summary(path)
        if summary is None:
            continue
        if not _is_usable(summary):
            history.unknown = path.name
            continue
        made_with = facts_of(summary)
        if history.made_with and (found := first_difference(history.made_with, made_with)) is not None:
            history.differing = found
        history.made_with = made_with
        history.unfinished |= path.name.endswith(PARTIAL)
        history.sources |= summary[SOURCES]
        history.done = summary if history.done is None else reduce(merged, (history.done, summary))
    return history


def _is_usable(summary: Summary) -> bool:
    try:
        _Usable.model_validate(summary)
    except ValidationError:
        return False
    return all("duration_s" in one["source"] for one in summary["inputs"]) and summary.keys() >= {*REPORTED}


def summaries(folder: Path, busy: Set[str]) -> list[Path]:
    """Return the summaries in `folder` except those of runs under way, that of an interrupted run last."""
    try:
        found = [path for path in folder.iterdir() if _SUMMARY.fullmatch(path.name) and path.is_file()]
    except OSError:
        return []
    own = [path for path in found if path.name.removesuffix(PARTIAL) not in busy]
    return sorted(own, key=lambda path: (path.name.endswith(PARTIAL), path.name != FILE_NAME, path.name))


def would_overwrite(folder: Path, name: str) -> str | None:
    """Return what results called `name` would overwrite in `folder`, as a sentence; None if that is nothing."""
    history = read_history(folder, frozenset())
    if not ResultFiles(folder).any_of(name) and not history.sources:
        return None
    what = f"files called {name}" if ResultFiles(folder).any_of(name) else "the results of a run"
    return f"{folder} holds {what} already: add --fresh to replace them, or choose another folder with --out"


def facts_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the results of a summary were made with, as far as it can change them."""
    facts = {name: summary.get(name) for name in MADE_WITH}
    facts["part"] = facts["part"] or WHOLE.fields()
    settings = facts["settings"]
    if isinstance(settings, dict):
        facts["settings"] = {name: value for name, value in settings.items() if name not in _OF_NO_ACCOUNT}
    return facts


def first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return the first value that differs, in words with its name; None if there is none."""
    for name, one, other in _differences("", before, now):
        return f"{name.removeprefix('settings.')} was {_shown(one)} and is {_shown(other)} now"
    return None


def _differences(name: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in [*before, *(key for key in now if key not in before)]:
            yield from _differences(f"{name}.{key}" if name else str(key), before.get(key), now.get(key))
    elif before != now:
        yield name, before, now


def _shown(value: Any) -> str:
    return "not set" if value is None else f"{value}"[:80]
