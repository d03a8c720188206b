"""The recordings of one run: what to call their files and their cameras, and whether they can be read at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from posebus.config.redaction import redact_url
from posebus.config.settings import CAMERA_NAME_PATTERN, CameraSettings
from posebus.errors import BadPicture, SourceRejected

MAX_CAMERA_CHARACTERS = 63


@dataclass(frozen=True, slots=True)
class Recording:
    """One video file, picture or folder of pictures.

    `name` is that of its files, `camera` that of its streams; `size_px` is the (width, height) of its first frame;
    `frames_expected` is what its header promises, None where it says nothing.
    """

    source: str
    name: str
    camera: str
    size_px: tuple[int, int]
    frames_expected: int | None


def file_names(sources: Sequence[str]) -> list[str]:
    """A name for the files of each source: its stem, numbered where two are the same (`clip`, `clip-2`).

    Case does not tell two names apart: on some file systems it does not either.
    """
    taken: set[str] = set()
    return [_untaken(_stem(source), taken) for source in sources]


def camera_names(names: Iterable[str], suffix: str = "") -> list[str]:
    """A name that Redis keys may hold for each of `names`, all different, each ending in `suffix`."""
    taken: set[str] = set()
    room = MAX_CAMERA_CHARACTERS - len(suffix) - len("-9999")
    return [_untaken(_slug(name)[:room], taken) + suffix for name in names]


def camera_settings(source: str) -> CameraSettings:
    """How `source` is read: every frame, as fast as the workers go. Raises SourceRejected for what is no recording."""
    from ingest.sources import source_spec

    settings = CameraSettings(source=source, delivery="lossless")
    if not source_spec(settings).recorded:
        raise SourceRejected(
            f"{redact_url(source)} is a camera or an address, not a recording on disk: "
            "put cameras into posebus.yaml and run `posebus up`"
        )
    return settings


def look_at_all(sources: Sequence[str], suffix: str = "") -> tuple[list[Recording], dict[str, str]]:
    """The recordings among `sources`, and by name, as one sentence, why the others are none.

    Their cameras' names end in `suffix`.
    """
    names = file_names(sources)
    recordings: list[Recording] = []
    refused: dict[str, str] = {}
    for source, name, camera in zip(sources, names, camera_names(names, suffix), strict=True):
        try:
            recordings.append(look_at(source, name, camera))
        except (SourceRejected, BadPicture) as error:
            refused[name] = str(error)
    return recordings, refused


def look_at(source: str, name: str, camera: str) -> Recording:
    """Open `source` and decode its first frame. Raises SourceRejected with one sentence if that does not work."""
    from ingest.sources import open_source

    opened = open_source(camera_settings(source))
    try:
        picture = opened.read()
    finally:
        opened.close()
    if picture is None:
        raise SourceRejected(f"{source} holds no frame that can be decoded")
    return Recording(source, name, camera, picture.image.size_px, opened.frame_count)


def _stem(source: str) -> str:
    source = source.removeprefix("file://")
    if "://" in source:
        # An address will be refused, but it gets a name first, and that must not be a part with the password in it.
        return urlsplit(source).hostname or "recording"
    path = Path(source)
    # "." and ".." have neither name nor stem before they are resolved.
    path = path if path.name.strip(".") else path.resolve()
    return (path.name if path.is_dir() else path.stem) or "recording"


def _slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
    return slug if re.match(CAMERA_NAME_PATTERN, slug[:MAX_CAMERA_CHARACTERS]) else "recording"


def _untaken(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate, number = f"{name}-{number}", number + 1
    taken.add(candidate.casefold())
    return candidate
