"""Carry out a change from the command line: find what it is about, and print what happens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from posebus.changing.targets import ChangeTarget, find_target
from posebus.config.redaction import harmless
from posebus.errors import ConfigError
from posebus_cli.change.options import ChangeOptions

if TYPE_CHECKING:
    from posebus.changing.wanted import WantedChange


def carry_out(change: WantedChange, options: ChangeOptions) -> None:
    """Make the change; print what happened. Exits with 1 if a running deployment does not take it."""
    from posebus.changing.carrying_out import carried_out

    wait_s = options.timeout if options.wait else None
    sentences = carried_out(change, _target(change, options), os.environ, save=options.save, wait_s=wait_s)
    while True:
        try:
            sentence = next(sentences)
        except StopIteration as end:
            if not end.value:
                raise typer.Exit(1) from None
            return
        print(harmless(sentence), flush=True)


def _target(change: WantedChange, options: ChangeOptions) -> ChangeTarget:
    if options.save and change.may_create and options.config is not None and not options.config.exists():
        return ChangeTarget(options.config, ())
    target = find_target(options.config, os.environ)
    if not options.save and not target.running:
        raise ConfigError(
            "nothing runs with this file on this machine, so there is nothing to change without saving it"
        )
    return target
