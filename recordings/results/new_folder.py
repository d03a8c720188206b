"""The folder for results when the user names none: always a new one, so that no earlier results are overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from posebus.errors import OutputError

NAME = "posebus-out"


def new_folder(parent: Path = Path(), name: str = NAME) -> Path:
    """Create and return the first of NAME, NAME-2, … in `parent` that does not exist yet.

    Two calls never get the same folder, not even two processes at the same moment. Raises OutputError.
    """
    for number in count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"the folder {folder} for the results cannot be created: {error.strerror or error}; "
                "choose another one with --out"
            ) from None
        return folder
    raise AssertionError("count never ends")


def discard(folder: Path, name: str) -> bool:
    """Delete `folder` if there is nothing in it but a file called `name`; returns whether that was so."""
    try:
        if [path.name for path in folder.iterdir()] != [name]:
            return False
        (folder / name).unlink()
        folder.rmdir()
    except OSError:
        return False
    return True


@contextmanager
def results_folder(chosen: Path | None, name: str = NAME) -> Iterator[Path]:
    """Return `chosen`, which the caller creates, or a new folder, which goes again if nothing was written into it."""
    if chosen is not None:
        yield chosen
        return
    folder = new_folder(name=name)
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()
