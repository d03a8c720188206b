"""One line of the log for each change of a running deployment: what changed, and what is done about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from posebus.config.cameras.camera_settings import APPLIED_LIVE
from posebus.config.redaction import harmless, redact_url
from posebus.reloading.difference import Change, Difference
from posebus.reloading.followed import Update
from posebus.wording import counted

ADDRESSES = frozenset({"source", "redis"})
PAUSED = "paused"


def update_lines(update: Update) -> list[str]:
    """Return the lines about cameras and sinks, about worker and tracker processes and the wall, and their settings."""
    found = update.difference
    return [
        *camera_lines(found),
        *sink_lines(found),
        *_count_lines(found.fleet),
        *worker_lines(found),
        *tracker_lines(found),
        *wall_lines(found),
    ]


def camera_lines(found: Difference) -> Iterator[str]:
    """Yield the lines about cameras that come, go or change."""
    for name in found.removed:
        yield f"camera {name} is removed: its source and its tracks end"
    for name in found.added:
        yield f"camera {name} is added"
    for name, changes in found.changed.items():
        fields = {change.field: change for change in changes}
        pause = fields.pop(PAUSED, None)
        if pause is not None:
            yield f"camera {name} {'is paused' if pause.after else 'goes on'}"
        live = [fields.pop(field) for field in APPLIED_LIVE if field in fields]
        if live:
            yield f"camera {name} goes on with it: {'; '.join(map(shown_change, live))}"
        if fields:
            verb = "starts again" if pause is None else "changes"
            yield f"camera {name} {verb}: {'; '.join(map(shown_change, fields.values()))}"


def sink_lines(found: Difference) -> Iterator[str]:
    """Yield the lines about sinks that come, go or change."""
    for name in found.sinks.removed:
        yield f"sink {name} is removed: its process ends; the broker remembers for a week what it has delivered"
    for name in found.sinks.added:
        yield f"sink {name} is added"
    for name, changes in found.sinks.changed.items():
        yield f"sink {name} starts again and goes on where it was: {'; '.join(map(shown_change, changes))}"


def worker_lines(found: Difference) -> Iterator[str]:
    """Yield the line about the settings of workers."""
    yield from _section_lines(found.worker, "workers load what they need for it, and then change over")


def tracker_lines(found: Difference) -> Iterator[str]:
    """Yield the line about the settings of trackers."""
    yield from _section_lines(found.tracker, "trackers go on by it, with the same identities")


def wall_lines(found: Difference) -> Iterator[str]:
    """Yield the line about the settings of the wall."""
    yield from _section_lines(found.wall, "the wall goes on by it, where one runs")


def log_lines(found: Difference) -> Iterator[str]:
    """Yield the line about how processes log."""
    yield from _section_lines(found.log, "processes of cameras take it when they start again")


def fixed_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield a line for each setting that needs a restart."""
    for change in changes:
        before, after = shown_value(change.field, change.before), shown_value(change.field, change.after)
        yield f"{change.field} cannot change while posebus runs: it stays {before}; restart posebus to use {after}"


def shown_change(change: Change) -> str:
    """Return a change for the middle of a sentence, without credentials."""
    before, after = shown_value(change.field, change.before), shown_value(change.field, change.after)
    if before == after:  # neither can be shown
        return f"{change.field} has changed"
    # A word stands behind an address: what hides credentials takes other signs there for a part of it.
    return f"{change.field} was {before} and is {after}"


def shown_value(field: str, value: object) -> str:
    """Return the value of a field as it stands in YAML, without credentials."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and field.rpartition(".")[2] in ADDRESSES:
        return redact_url(value)
    if isinstance(value, str | int | float | Path):
        return harmless(str(value))
    return "another value"


def _count_lines(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        assert isinstance(change.before, int)
        assert isinstance(change.after, int)
        more = change.after - change.before
        role = change.field.rpartition(".")[2].removesuffix("s")
        yield f"{shown_change(change)}: {counted(abs(more), role)} {'more' if more > 0 else 'less'}"


def _section_lines(changes: Sequence[Change], what: str) -> Iterator[str]:
    if changes:
        yield f"{'; '.join(map(shown_change, changes))}: {what}"
