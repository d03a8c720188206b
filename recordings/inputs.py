"""The recordings of one run: the names of their files and cameras, and whether they can be read."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from posebus.config.local_files import is_file_address, is_folder, local_path, same_for_children
from posebus.config.redaction import redact_url
from posebus.config.settings import CAMERA_NAME_PATTERN, CameraSettings
from posebus.errors import SourceRejected
from posebus.runtime.failures import in_one_sentence
from posebus.square_pixels import square_size_px

MAX_CAMERA_CHARACTERS = 63
MAX_NAME_BYTES = 255 - len("-9999.coco-results.json.partial")
"""File systems allow 255 bytes for the whole name of a file."""
OPEN_LIMIT_S = 60.0
"""A recording that gives no picture for so long never will; most give one within a second."""
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and the surrogates that stand for bytes that are not UTF-8."""
PICTURES = "images"
"""The kind of sources whose frames have no times of their own."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One video file, picture or folder of pictures.

    `name` names its files, `camera` its streams. `size_px` is the (width, height) of its first frame in square pixels,
    in which it is analysed. `frames_expected` is the number of frames in its header, None without one. `timed`: its
    frames have times, which single pictures and folders of pictures have not.
    """

    source: str
    name: str
    camera: str
    size_px: tuple[int, int]
    frames_expected: int | None
    timed: bool = True


class UniqueNames:
    """Gives out names for files, all different: numbered where two would be the same (`clip`, `clip-2`).

    Names that differ in case or in the form of their accents only count as the same, as on some file systems.
    """

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = {_folded(name) for name in used}
        self._next_number: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """Return `wanted` or, if it is taken, the first number of it that is not."""
        name, number = wanted, self._next_number.get(_folded(wanted), 2)
        while _folded(name) in self._used:
            name, number = f"{wanted}-{number}", number + 1
        self._next_number[_folded(wanted)] = number
        self._used.add(_folded(name))
        return name


def file_names(sources: Sequence[str], used: Iterable[str] = ()) -> list[str]:
    """Return a name for the files of each source: its stem as text, shortened if needed, and none of those `used`."""
    names = UniqueNames(used)
    return [names.take(_fitting(_stem(source))) for source in sources]


def camera_names(names: Iterable[str], suffix: str = "") -> list[str]:
    """Return a camera name for each of `names`: allowed in Redis keys, all different, each ending in `suffix`."""
    unique = UniqueNames()
    room = MAX_CAMERA_CHARACTERS - len(suffix) - len("-9999")
    return [unique.take(_slug(name)[:room]) + suffix for name in names]


def camera_settings(source: str) -> CameraSettings:
    """Return settings that read every frame of `source`, as fast as the workers infer.

    Raises SourceRejected if `source` is not a recording.
    """
    from ingest.sources import source_spec

    settings = CameraSettings(source=same_for_children(source), delivery="lossless")
    if not source_spec(settings).recorded:
        raise SourceRejected(
            f"{redact_url(source)} is a camera or an address, not a recording on disk: "
            "put cameras into posebus.yaml and run `posebus up`"
        )
    return settings


def open_recordings(
    sources: Sequence[str], names: Sequence[str], suffix: str = ""
) -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings among `sources`, and for each of the others, by name, one sentence about its problem.

    `names` are those of their files. The names of the recordings' cameras end in `suffix`.
    """
    recordings: list[Recording] = []
    refused: dict[str, str] = {}
    for source, name, camera in zip(sources, names, camera_names(names, suffix), strict=True):
        try:
            recordings.append(open_recording(source, name, camera))
        except Exception as error:  # noqa: BLE001 - no input may keep the others from being analysed
            refused[name] = in_one_sentence(error, about=redact_url(source))
    return recordings, refused


def open_recording(source: str, name: str, camera: str, limit_s: float = OPEN_LIMIT_S) -> Recording:
    """Open `source` and decode its first frame. Raises SourceRejected or BadPicture if that fails or takes too long."""
    settings = camera_settings(source)
    found: list[Recording | Exception] = []

    def look() -> None:
        try:
            found.append(_look_at(settings, source, name, camera))
        except Exception as error:  # noqa: BLE001 - it is raised below, in the thread of the caller
            found.append(error)

    # Libraries wait without a limit for a disk that does not answer; such a thread is left behind.
    thread = threading.Thread(target=look, name=f"open {name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not found:
        raise SourceRejected(
            f"{redact_url(source)} gave no picture within {limit_s:g} s; can its disk or server be reached?"
        )
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _look_at(settings: CameraSettings, source: str, name: str, camera: str) -> Recording:
    from ingest.sources import open_source, source_kind

    opened = open_source(settings)
    try:
        picture = opened.read()
    finally:
        opened.close()
    if picture is None:
        raise SourceRejected(f"{redact_url(source)} holds no frame that can be decoded")
    return Recording(
        source=source,
        name=name,
        camera=camera,
        size_px=square_size_px(picture.image.size_px, picture.image.pixel_aspect),
        frames_expected=opened.frame_count,
        timed=source_kind(settings) != PICTURES,
    )


def _stem(source: str) -> str:
    if "://" in source and not is_file_address(source):
        # Addresses are refused later, but they get a name first, which must not be the part with the password.
        return _host(source) or "recording"
    try:
        path = local_path(source)
    except SourceRejected:
        return "recording"
    # "." and ".." have no name and no stem until they are resolved.
    path = path if path.name.strip(".") else path.resolve()
    return (path.name if is_folder(path) else path.stem) or "recording"


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _fitting(name: str) -> str:
    """Return `name` without what is no text, short enough that every file of it can be created."""
    text = _NO_TEXT.sub("_", name)
    return text.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
    return slug if re.match(CAMERA_NAME_PATTERN, slug[:MAX_CAMERA_CHARACTERS]) else "recording"
