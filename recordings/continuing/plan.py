"""What a run has to do in a folder that may hold results already: skip, do again, or refuse."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posebus.errors import OutputError
from recordings.continuing.history import History, facts_of, first_difference
from recordings.continuing.identity import Identity
from recordings.inputs.names import unique_names
from recordings.results.result_files import ResultFiles
from recordings.summary import Summary

REMEDY = "add --fresh to begin anew, or choose another folder with --out"


@dataclass(frozen=True, slots=True)
class Planned:
    """One input of a run: the name of its results, what it is, and whether they are finished already."""

    source: str
    name: str
    identity: Identity
    done: bool


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What is to do. `before` is the summary of what is finished already, None if that is nothing.

    `sources` are the identities of all inputs of the folder by name, for the summary of this run.
    """

    inputs: Sequence[Planned]
    before: Summary | None
    sources: dict[str, Identity]


@dataclass(frozen=True, slots=True)
class Wish:
    """One input as it was asked for: its source, the name that its results should have, and what it is."""

    source: str
    wanted: str
    identity: Identity


def plan_run(
    wishes: Sequence[Wish],
    facts: Mapping[str, Any],
    history: History,
    folder: Path,
    busy: Set[str],
    files: ResultFiles,
) -> RunPlan:
    """Return what is left of a run that is made with `facts`. Raises OutputError rather than mix or overwrite results.

    `busy` are names that runs under way have taken, `files` those of the folder.
    """
    _check_made_with(history, facts, folder)
    finished = {entry["name"] for entry in history.done["inputs"]} if history.done is not None else set()
    known: dict[object, deque[str]] = defaultdict(deque)
    for name, identity in history.sources.items():
        if name not in busy:
            known[identity.get("path")].append(name)
    names: list[str | None] = [
        known[wish.identity["path"]].popleft() if known[wish.identity["path"]] else None for wish in wishes
    ]
    new = [wish.wanted for wish, name in zip(wishes, names, strict=True) if name is None]
    others = iter(unique_names(new, {*busy, *history.sources}))
    inputs = []
    for wish, known_name in zip(wishes, names, strict=True):
        name = next(others) if known_name is None else known_name
        if known_name is None:
            if files.any_of(name):
                raise OutputError(
                    f"{folder} holds files called {name} already, and no summary says that they were made from "
                    f"{wish.source}: {REMEDY}"
                )
        elif name in finished and files.complete(name) and history.sources[name] != wish.identity:
            raise OutputError(f"{wish.source} has changed since its results in {folder} were made: {REMEDY}")
        inputs.append(Planned(wish.source, name, wish.identity, done=name in finished and files.complete(name)))
    return RunPlan(
        inputs, _without(history.done, inputs), {**history.sources, **{one.name: one.identity for one in inputs}}
    )


def plan_anew(wishes: Sequence[Wish], busy: Set[str]) -> RunPlan:
    """Return the plan of a run that does everything anew, also what the folder holds already."""
    names = unique_names([wish.wanted for wish in wishes], busy)
    inputs = [Planned(wish.source, name, wish.identity, False) for wish, name in zip(wishes, names, strict=True)]
    return RunPlan(inputs, None, {one.name: one.identity for one in inputs})


def is_unfinished(wishes: Sequence[Wish], facts: Mapping[str, Any], history: History) -> bool:
    """Return whether `history` is that of an interrupted run with the same settings and no other inputs than these."""
    if not history.unfinished or history.unknown or history.differing:
        return False
    now = [wish.identity for wish in wishes]
    before = list(history.sources.values())
    return bool(before) and all(identity in now for identity in before) and _difference(history, facts) is None


def _check_made_with(history: History, facts: Mapping[str, Any], folder: Path) -> None:
    if history.unknown is not None:
        raise OutputError(
            f"{folder} holds results of which {history.unknown} does not say from which inputs they were made: {REMEDY}"
        )
    differing = history.differing or _difference(history, facts)
    if differing is not None:
        raise OutputError(f"{folder} holds results that were made otherwise ({differing}): {REMEDY}")


def _difference(history: History, facts: Mapping[str, Any]) -> str | None:
    return first_difference(history.made_with, facts_of(facts)) if history.made_with else None


def _without(done: Summary | None, inputs: Sequence[Planned]) -> Summary | None:
    """Return the summary `done` without the inputs that this run does."""
    if done is None:
        return None
    again = {one.name for one in inputs if not one.done}
    kept = {field: [one for one in done[field] if one["name"] not in again] for field in ("inputs", "warnings")}
    failed = [one for one in done["failed"] if one["name"] not in {planned.name for planned in inputs}]
    if not kept["inputs"] and not failed:
        return None
    return {**done, **kept, "failed": failed}
