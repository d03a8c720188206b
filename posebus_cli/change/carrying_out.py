"""Carry out a change: write the file or set values over it, let the running deployments follow, say what happened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from posebus.config.redaction import harmless
from posebus.errors import ConfigError
from posebus_cli.change.options import ChangeOptions
from posebus_cli.change.outcome import Outcome
from posebus_cli.change.targets import ChangeTarget, Running, find_target

if TYPE_CHECKING:
    from posebus.config.editing.config_file import FileChange
    from posebus.config.editing.yaml_edits import Edit
    from posebus.config.loading import Checked

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A change in three forms.

    edits: of the file, called with its settings; it raises ConfigError where they do not suit. overrides: the same for
    a running deployment alone, by dotted field. outcomes: by subject, when it has taken effect.
    """

    edits: Callable[[Checked], Sequence[Edit]]
    overrides: Callable[[Running], Mapping[str, object]]
    outcomes: Mapping[str, Outcome]
    may_create: bool = False


def carry_out(change: WantedChange, options: ChangeOptions) -> None:
    """Make the change; print what happened. Exits with 1 if a running deployment does not take it."""
    target = _target(change, options)
    if options.save and target.file is not None:
        say_saved(change_of(change, target.file), target)
        before = [(one, one.control.reload().revision) for one in target.running]
    else:
        before = [(one, one.control.override(change.overrides(one)).revision) for one in target.running]
        why = "" if not options.save else ", as the deployment was started without a file"
        say(f"not saved{why}: the change ends with the running deployment")
    if not before or not options.wait:
        if before:
            say("the running deployment follows")
        return
    followed = [_follow(one, revision, change.outcomes, options.timeout) for one, revision in before]
    if not all(followed):
        raise typer.Exit(1)


def change_of(change: WantedChange, file: Path) -> FileChange:
    """Write the change into `file`."""
    from posebus.config.editing.config_file import change_file

    return change_file(file, change.edits, os.environ, may_create=change.may_create)


def say_saved(done: FileChange, target: ChangeTarget) -> None:
    """Print what became of the file, and what it means for deployments."""
    for note in done.notes:
        say(f"note: {note}")
    kind = "is new" if done.is_new else "is saved" if done.changed else "says so already"
    following = "" if target.running else "; nothing runs with it on this machine, so it takes effect at the next start"
    say(f"{target.file} {kind}{following}")


def say(text: str) -> None:
    """Print a line at once, without credentials and control characters."""
    print(harmless(text), flush=True)


def _target(change: WantedChange, options: ChangeOptions) -> ChangeTarget:
    if options.save and change.may_create and options.config is not None and not options.config.exists():
        return ChangeTarget(options.config, ())
    target = find_target(options.config, os.environ)
    if not options.save and not target.running:
        raise ConfigError(
            "nothing runs with this file on this machine, so there is nothing to change without saving it"
        )
    return target


def _follow(one: Running, revision: int, outcomes: Mapping[str, Outcome], timeout_s: float) -> bool:
    """Wait until a deployment has made the change, and say so; returns whether it did."""
    start_s = time.monotonic()
    waiting = dict(outcomes)
    shown: dict[str, str] = {}
    while True:
        status = one.control.status()
        elapsed_s = time.monotonic() - start_s
        if status.revision > revision:
            if status.problem is not None:
                say(f"the running deployment goes on as before: {status.problem}")
                return False
            for subject, outcome in list(waiting.items()):
                sentence, is_last = outcome(status)
                shown[subject] = sentence
                if is_last:
                    say(f"{subject}: {sentence.replace('{after}', f' after {elapsed_s:.1f} s')}")
                    del waiting[subject]
            if not waiting:
                if status.restart_for:
                    say(f"needs a restart of the deployment: {', '.join(status.restart_for)}")
                return True
        if elapsed_s >= timeout_s:
            for subject in waiting:
                state = shown.get(subject, "the deployment has not read its settings again")
                say(f"{subject}: not yet after {timeout_s:g} s ({state}); 'posebus camera list' shows how it goes on")
            return False
        time.sleep(POLL_S)
