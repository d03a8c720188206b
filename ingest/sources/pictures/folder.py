"""The pictures of a folder in natural order, and what else is in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.sources.pictures.kinds import HEAD_BYTES, picture_kind
from posebus.config.local_files import check_readable, is_folder
from posebus.errors import SourceMissing

SUFFIXES = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pgm"}
    | {".png", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Endings of picture files, in lower case. A file with another one is a picture, too, if it begins like one."""
LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
"""Files in lower case that systems put into folders of pictures; hidden files are left out as well."""
NAMED = 3
"""So many of the files that were left out are named in the warning."""


@dataclass(frozen=True, slots=True)
class PictureList:
    """Pictures in the order in which they are read. `warning` names what else their folder holds, None if nothing."""

    paths: Sequence[Path]
    warning: str | None = None


def list_pictures(path: Path) -> PictureList:
    """Return `path` itself, or the pictures in the folder `path` in natural order (2 before 10).

    Raises SourceMissing if there is none, and SourceRejected for what is neither a file nor a folder.
    """
    if not is_folder(path):
        check_readable(path)
        return PictureList([path])
    try:
        entries = sorted((entry for entry in path.iterdir() if not _is_litter(entry)), key=_order)
        folders = sum(entry.is_dir() for entry in entries)
    except OSError as error:
        raise SourceMissing(f"the folder {path} cannot be read: {error.strerror or error}") from error
    pictures = [entry for entry in entries if _is_picture(entry)]
    if not pictures:
        raise SourceMissing(f"the folder {path} holds no picture{_instead(entries, folders)}")
    chosen = set(pictures)
    others = [entry for entry in entries if entry not in chosen]
    return PictureList(pictures, _warning(path, others) if others else None)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key with numbers by value and letters without case; the name itself breaks ties."""
    parts = re.split(r"([0-9]+)", name)
    key = [(0, int(part), "") if index % 2 else (1, 0, part.casefold()) for index, part in enumerate(parts)]
    return [*key, (2, 0, name)]


def _order(entry: Path) -> list[tuple[int, int, str]]:
    return natural_key(entry.name)


def _is_litter(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.name.lower() in LITTER


def _is_picture(entry: Path) -> bool:
    """Return whether `entry` is a file whose name or beginning is that of a picture.

    A wrong name shows when the file is read: opening every file here would take minutes in a large folder elsewhere.
    """
    try:
        if not entry.is_file():
            return False
        if entry.suffix.lower() in SUFFIXES:
            return True
        with entry.open("rb") as file:
            return picture_kind(file.read(HEAD_BYTES)) is not None
    except OSError:
        return False


def _instead(entries: Sequence[Path], folders: int) -> str:
    if not entries:
        return ": it is empty"
    inside = "; pictures in the folders inside it are not read, give those folders" if folders else ""
    return f", but {_count(len(entries))}: {_names(entries)}{inside}"


def _warning(path: Path, others: Sequence[Path]) -> str:
    verb = "is no picture and was" if len(others) == 1 else "are no pictures and were"
    return f"{_count(len(others))} in the folder {path} {verb} left out: {_names(others)}"


def _count(number: int) -> str:
    return "1 other entry" if number == 1 else f"{number} other entries"


def _names(entries: Sequence[Path]) -> str:
    more = len(entries) - NAMED
    return ", ".join(entry.name for entry in entries[:NAMED]) + (f" and {more} more" if more > 0 else "")
