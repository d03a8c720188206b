"""The recordings of one run: the names of their files and cameras, and whether they can be read."""

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
PICTURES = "images"
"""The kind of sources whose frames have no times of their own."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One video file, picture or folder of pictures.

    `name` names its files, `camera` its streams. `size_px` is the (width, height) of its first frame.
    `frames_expected` is the number of frames in its header, None without one. `timed`: its frames have times, which
    single pictures and folders of pictures have not.
    """

    source: str
    name: str
    camera: str
    size_px: tuple[int, int]
    frames_expected: int | None
    timed: bool = True


def file_names(sources: Sequence[str]) -> list[str]:
    """Return a name for the files of each source: its stem, numbered where two are the same (`clip`, `clip-2`).

    Names that differ in case only count as the same, as they do on some file systems.
    """
    used: set[str] = set()
    return [_unused(_stem(source), used) for source in sources]


def camera_names(names: Iterable[str], suffix: str = "") -> list[str]:
    """Return a camera name for each of `names`: allowed in Redis keys, all different, each ending in `suffix`."""
    used: set[str] = set()
    room = MAX_CAMERA_CHARACTERS - len(suffix) - len("-9999")
    return [_unused(_slug(name)[:room], used) + suffix for name in names]


def camera_settings(source: str) -> CameraSettings:
    """Return settings that read every frame of `source`, as fast as the workers infer.

    Raises SourceRejected if `source` is not a recording.
    """
    from ingest.sources import source_spec

    settings = CameraSettings(source=source, delivery="lossless")
    if not source_spec(settings).recorded:
        raise SourceRejected(
            f"{redact_url(source)} is a camera or an address, not a recording on disk: "
            "put cameras into posebus.yaml and run `posebus up`"
        )
    return settings


def open_recordings(sources: Sequence[str], suffix: str = "") -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings among `sources`, and for each of the others, by name, one sentence about its problem.

    The names of the recordings' cameras end in `suffix`.
    """
    names = file_names(sources)
    recordings: list[Recording] = []
    refused: dict[str, str] = {}
    for source, name, camera in zip(sources, names, camera_names(names, suffix), strict=True):
        try:
            recordings.append(open_recording(source, name, camera))
        except (SourceRejected, BadPicture) as error:
            refused[name] = str(error)
    return recordings, refused


def open_recording(source: str, name: str, camera: str) -> Recording:
    """Open `source` and decode its first frame. Raises SourceRejected or BadPicture if that fails."""
    from ingest.sources import open_source, source_kind

    settings = camera_settings(source)
    opened = open_source(settings)
    try:
        picture = opened.read()
    finally:
        opened.close()
    if picture is None:
        raise SourceRejected(f"{source} holds no frame that can be decoded")
    return Recording(
        source=source,
        name=name,
        camera=camera,
        size_px=picture.image.size_px,
        frames_expected=opened.frame_count,
        timed=source_kind(settings) != PICTURES,
    )


def _stem(source: str) -> str:
    source = source.removeprefix("file://")
    if "://" in source:
        # Addresses are refused later, but they get a name first, which must not be the part with the password.
        return urlsplit(source).hostname or "recording"
    path = Path(source)
    # "." and ".." have no name and no stem until they are resolved.
    path = path if path.name.strip(".") else path.resolve()
    return (path.name if path.is_dir() else path.stem) or "recording"


def _slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
    return slug if re.match(CAMERA_NAME_PATTERN, slug[:MAX_CAMERA_CHARACTERS]) else "recording"


def _unused(name: str, used: set[str]) -> str:
    candidate, number = name, 2
    while candidate.casefold() in used:
        candidate, number = f"{name}-{number}", number + 1
    used.add(candidate.casefold())
    return candidate
