"""`posebus scale`: how many workers and trackers run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.change.options import ChangeOptions
from posebus_cli.options.grouping import grouped

if TYPE_CHECKING:
    from posebus.config.editing.yaml_edits import Edit
    from posebus.config.loading import Checked

KINDS = {"workers": "worker", "trackers": "tracker"}


@grouped
def scale(
    numbers: Annotated[
        list[str], typer.Argument(metavar="workers=N trackers=N", help="How many processes of each kind run.")
    ],
    options: ChangeOptions,
) -> None:
    """Start or stop workers and trackers of the 'posebus up' that runs on this machine, and save their number.

    Nothing is lost: workers finish what they have, and the other trackers go on with the same identities.
    """
    from posebus.changing.outcome import processes_run
    from posebus.changing.wanted import WantedChange
    from posebus.config.editing.yaml_edits import Edit
    from posebus.errors import ConfigError
    from posebus_cli.change.assignments import assignments
    from posebus_cli.change.carrying_out import carry_out

    found = assignments(numbers, ("fleet",), may_remove=False)
    unknown = [name for name in found if name not in KINDS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} cannot be scaled: write workers=N, trackers=N or both")

    def edits(checked: Checked) -> Sequence[Edit]:
        return [Edit(("fleet", name), value) for name, value in found.items()]

    overrides = {f"fleet.{name}": value for name, value in found.items()}
    outcomes = {name: processes_run(KINDS[name], value) for name, value in found.items()}
    carry_out(WantedChange(edits, lambda running: overrides, outcomes), options)
