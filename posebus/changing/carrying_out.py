"""Carry out a change: write the file or set values over it, let the running deployments follow, say what happened."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping

from posebus.changing.outcome import Outcome
from posebus.changing.targets import ChangeTarget, Running
from posebus.changing.wanted import WantedChange
from posebus.config.editing.config_file import FileChange, change_file

POLL_S = 0.1

Sentences = Generator[str, None, bool]
"""Says what happens, as it happens. Returns whether all running deployments have taken the change."""


def carried_out(
    change: WantedChange, target: ChangeTarget, environ: Mapping[str, str], *, save: bool = True, wait_s: float | None
) -> Sentences:
    """Make the change, and wait for it for at most `wait_s`; None: not at all.

    save: whether it is written into the file of `target`, if that has one. Raises ConfigError where the change is
    refused, OutputError where the file cannot be replaced, and DeploymentUnavailable. Sentences may hold addresses as
    they are in the file: show them through `posebus.config.redaction.harmless`.
    """
    if save and target.file is not None:
        yield from saved(change_file(target.file, change.edits, environ, may_create=change.may_create), target)
        before = [(one, one.control.reload().revision) for one in target.running]
    else:
        before = [(one, one.control.override(change.overrides(one)).revision) for one in target.running]
        why = "" if not save else ", as the deployment was started without a file"
        yield f"not saved{why}: the change ends with the running deployment"
    if not before or wait_s is None:
        if before:
            yield "the running deployment follows"
        return True
    all_followed = True
    for one, revision in before:
        followed = yield from _followed(one, revision, change.outcomes, wait_s)
        all_followed = all_followed and followed
    return all_followed


def saved(done: FileChange, target: ChangeTarget) -> Iterator[str]:
    """Say what became of the file, and what it means for deployments."""
    for note in done.notes:
        yield f"note: {note}"
    kind = "is new" if done.is_new else "is saved" if done.changed else "says so already"
    following = "" if target.running else "; nothing runs with it on this machine, so it takes effect at the next start"
    yield f"{target.file} {kind}{following}"


def _followed(one: Running, revision: int, outcomes: Mapping[str, Outcome], timeout_s: float) -> Sentences:
    """Wait until a deployment has made the change, and say so; returns whether it did."""
    start_s = time.monotonic()
    waiting = dict(outcomes)
    shown: dict[str, str] = {}
    while True:
        status = one.control.status()
        elapsed_s = time.monotonic() - start_s
        if status.revision > revision:
            if status.problem is not None:
                yield f"the running deployment goes on as before: {status.problem}"
                return False
            for subject, outcome in list(waiting.items()):
                sentence, is_last = outcome(status)
                shown[subject] = sentence
                if is_last:
                    yield f"{subject}: {sentence.replace('{after}', f' after {elapsed_s:.1f} s')}"
                    del waiting[subject]
            if not waiting:
                if status.restart_for:
                    yield f"needs a restart of the deployment: {', '.join(status.restart_for)}"
                return True
        if elapsed_s >= timeout_s:
            for subject in waiting:
                state = shown.get(subject, "the deployment has not read its settings again")
                yield f"{subject}: not yet after {timeout_s:g} s ({state}); 'posebus camera list' shows how it goes on"
            return False
        time.sleep(POLL_S)
