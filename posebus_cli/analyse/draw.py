"""`posebus draw`: draw the videos of results again, without inference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posebus.plain_text import plain
from posebus.wording import counted
from posebus_cli.options.groups import PrivacyOption

_ResultsArgument = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="Folder with the results of 'posebus run'.", show_default=False)
]
_NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Names of recordings in it. (default: all that are finished)"),
]
_SourceOption = Annotated[
    Path | None,
    typer.Option(
        "--source",
        metavar="PATH",
        help="Where the recordings are now, if they were moved: a folder, or the file of a single NAME.",
    ),
]
_OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder for the videos; created if missing. (default: RESULTS)"),
]


def draw(
    results: _ResultsArgument,
    names: _NamesArgument = None,
    source: _SourceOption = None,
    out: _OutOption = None,
    skeletons: Annotated[
        bool, typer.Option("--skeletons", help="Draw on a dark picture instead of the recording.")
    ] = False,
    no_ids: Annotated[bool, typer.Option("--no-ids", help="Leave out the numbers of people.")] = False,
    blur: Annotated[bool, typer.Option("--blur", help="Blur people instead of drawing them.")] = False,
    privacy: PrivacyOption = None,
) -> None:
    """Draw the annotated videos of recordings again, from their tracks and the recordings themselves.

    NAME.annotated.mp4 is replaced when the new one is complete. A recording that is gone or has changed since is
    reported and does not stop the others; the exit code is then 1.
    """
    from posebus.config.cameras.privacy import HEADS
    from posebus.errors import ConfigError
    from posebus.runtime.failures import complain
    from recordings.drawing.again import DrawRequest, draw_again
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.results.video import Style

    if blur and (skeletons or no_ids):
        raise ConfigError("--blur draws nothing, so leave out --skeletons and --no-ids")
    if not results.is_dir():
        raise ConfigError(f"there is no folder {results}: give the folder of a `posebus run`")
    target = out or results
    style = Style(dark=skeletons, labels=not no_ids, blur=blur, privacy=privacy or HEADS)
    request = DrawRequest(results, names or [], target, source, style)
    failed: list[str] = []

    def fail(name: str, why: str) -> None:
        failed.append(name)
        complain(why)

    with interruptible(), progress_for(as_json=False) as progress:
        drawn = draw_again(request, progress, fail)
    print(plain(f"{counted(len(drawn), 'video')} drawn in {target}"))
    if failed:
        raise typer.Exit(1)
