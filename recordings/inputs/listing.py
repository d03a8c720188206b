"""What the arguments of a command name: files, folders of recordings, folders of pictures, and patterns.

A folder that holds a video, in itself or in a folder inside it, is a folder of recordings. A folder with pictures and
no video is one sequence of pictures. A pattern (`day*/*.mp4`) is one that the shell did not expand.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from posebus.config.local_files import is_file_address, is_folder, local_path
from posebus.config.settings import CameraSettings
from posebus.errors import PoseBusError, SourceRejected
from posebus.wording import counted
from recordings.inputs.names import stem

VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".264", ".265", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf"}
    | {".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"}
    | {".mxf", ".ogm", ".ogv", ".qt", ".rm", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)
"""Endings of videos, in lower case. A file with another one is a video, too, if it begins like one. Playlists are not
among them: their videos are in the folder as well."""
PARTIAL_SUFFIXES = frozenset(
    {".part", ".partial", ".crdownload", ".download", ".filepart", ".aria2", ".tmp", ".temp", ".!qb", ".!ut"}
)
"""Endings of files that are still being copied or downloaded."""
DRAWN = ".annotated.mp4"
NAMED = 3
"""So many of the files that were left out are named."""
JOINED_BY = "-"
"""Stands between the folders and the stem in the name of a file's results, which are all in one folder."""
PICTURES = "images"


@dataclass(frozen=True, slots=True)
class Listed:
    """One input: its source, and the name that its results should have."""

    source: str
    wanted: str


@dataclass(slots=True)
class Listing:
    """The inputs in order, and sentences about what was left out."""

    inputs: list[Listed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """The files below one folder, in order: recordings, and what was left out."""

    videos: list[Path] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    partial: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def list_inputs(arguments: Sequence[str]) -> Listing:
    """Return the inputs that `arguments` name, those of folders and patterns in natural order (2 before 10).

    What is named twice by way of a folder or pattern is listed once. An argument that names nothing is an input itself:
    opening it says what is wrong.
    """
    listing = Listing()
    seen: set[str] = set()
    several = len(arguments) > 1
    for argument in arguments:
        for listed, expanded in _expand(argument, listing.notes, several=several):
            place = os.path.realpath(listed.source)
            if not (expanded and place in seen):
                listing.inputs.append(listed)
            seen.add(place)
    return listing


def _expand(argument: str, notes: list[str], *, several: bool) -> Iterator[tuple[Listed, bool]]:
    """Yield the inputs of one argument, and whether they come from a folder or pattern."""
    path = _path(argument)
    if path is not None and is_folder(path) and _is_ours(argument):
        # Of several folders, the files of each keep its name.
        yield from _in_folder(argument, path, path.resolve() if several else None, notes)
    elif path is not None and glob.has_magic(argument) and not os.path.lexists(path):
        yield from _matching(argument, notes)
    else:
        yield Listed(argument, stem(argument)), False


def _path(argument: str) -> Path | None:
    """Return the path that an argument names; None for the address of something else."""
    if "://" in argument and not is_file_address(argument):
        return None
    try:
        return local_path(argument)
    except SourceRejected:
        return None


def _is_ours(argument: str) -> bool:
    """Return whether the folder is none that a package of another author reads as one recording."""
    from ingest.sources import source_kind

    try:
        return source_kind(CameraSettings(source=argument)) in (PICTURES, "file")
    except (PoseBusError, ValueError):
        return False


def _in_folder(argument: str, folder: Path, named: Path | None, notes: list[str]) -> Iterator[tuple[Listed, bool]]:
    """Yield the recordings below `folder`, or the folder itself if it holds none; `named`: its name is put before."""
    found = _Found()
    _search(folder, found, set())
    if not found.videos:
        yield Listed(argument, stem(argument)), False
        return
    _note(folder, found, notes)
    first = [] if named is None or not named.name else [named.name]
    # Opening a folder that cannot be read says why, and fails as an input of its own.
    for video in [*found.videos, *found.unreadable]:
        yield Listed(str(video), _joined([*first, *video.relative_to(folder).parts])), True


def _matching(pattern: str, notes: list[str]) -> Iterator[tuple[Listed, bool]]:
    """Yield what the pattern matches: files, and the recordings of folders; the pattern itself if it is nothing."""
    from ingest.sources.pictures.folder import natural_key

    root = _root_of(pattern)
    # `Path.glob` would match hidden files, too.
    found = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207
    matches = sorted(found, key=lambda path: list(map(natural_key, path.parts)))
    # `**` matches every folder, beside the files in it.
    matches = [path for path in matches if "**" not in pattern or not is_folder(path)]
    chosen = [path for path in matches if path.suffix.lower() not in PARTIAL_SUFFIXES and not _is_drawn(path)]
    if not chosen:
        yield Listed(pattern, stem(pattern)), False
    for path in chosen:
        parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
        if not is_folder(path):
            yield Listed(str(path), _joined(parts)), True
            continue
        for listed, expanded in _in_folder(str(path), path, None, notes):
            below = Path(listed.source).relative_to(path).parts if expanded else ()
            yield Listed(listed.source, _joined([*parts, *below])), True


def _root_of(pattern: str) -> Path:
    """Return the folder before the first part of `pattern` that has a wildcard."""
    fixed: list[str] = []
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _joined(parts: Sequence[str]) -> str:
    """Return the name of the results of a file, from the folders that lead to it and its own name."""
    return JOINED_BY.join([*parts[:-1], Path(parts[-1]).stem])


def _search(folder: Path, found: _Found, visited: set[tuple[int, int]]) -> None:
    """Add what is below `folder` to `found`."""
    from ingest.sources.pictures.folder import natural_key

    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in visited:
            return  # a link to a folder further up
        visited.add((status.st_dev, status.st_ino))
        entries = sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name))
    except OSError:
        found.unreadable.append(folder)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if is_folder(entry):
            _search(entry, found, visited)
        elif entry.suffix.lower() in PARTIAL_SUFFIXES:
            found.partial.append(entry)
        elif not _is_drawn(entry):
            _sort_in(entry, found)


def _sort_in(entry: Path, found: _Found) -> None:
    from ingest.sources.pictures.folder import SUFFIXES
    from ingest.sources.pictures.kinds import HEAD_BYTES, is_video, picture_kind

    suffix = entry.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        found.videos.append(entry)
        return
    if suffix in SUFFIXES:
        found.pictures.append(entry)
        return
    try:
        if not entry.is_file():
            return
        with entry.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return
    if is_video(head):
        found.videos.append(entry)
    elif picture_kind(head) is not None:
        found.pictures.append(entry)


def _is_drawn(path: Path) -> bool:
    """Return whether a video is a result: its people are drawn already."""
    name = path.name.removesuffix(DRAWN)
    return name != path.name and path.with_name(f"{name}.tracks.jsonl").exists()


def _note(folder: Path, found: _Found, notes: list[str]) -> None:
    if found.pictures:
        were = "was" if len(found.pictures) == 1 else "were"
        notes.append(
            f"the folder {folder} holds recordings, so {counted(len(found.pictures), 'picture')} in it {were} left "
            f"out ({_names(found.pictures)}); a folder of pictures alone is read as one sequence"
        )
    if found.partial:
        were = "was" if len(found.partial) == 1 else "were"
        count = counted(len(found.partial), "partial file")
        notes.append(f"{count} in the folder {folder} {were} left out: {_names(found.partial)}")


def _names(paths: Sequence[Path]) -> str:
    more = len(paths) - NAMED
    return ", ".join(path.name for path in paths[:NAMED]) + (f" and {more} more" if more > 0 else "")
