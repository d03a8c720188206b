"""The names of the files and cameras of a run, all different and allowed where they are used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from posebus.config.local_files import is_file_address, is_folder, local_path
from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.errors import SourceRejected

MAX_CAMERA_CHARACTERS = 63
MAX_NAME_BYTES = 255 - len("-9999.coco-results.json.partial")
"""File systems allow 255 bytes for the whole name of a file."""
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and the surrogates that stand for bytes that are not UTF-8."""


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
    return unique_names([stem(source) for source in sources], used)


def unique_names(wanted: Sequence[str], used: Iterable[str] = ()) -> list[str]:
    """Return each of `wanted` as text that can name files, shortened and numbered if needed, and none of `used`."""
    names = UniqueNames(used)
    return [names.take(_fitting(name)) for name in wanted]


def camera_names(names: Iterable[str], suffix: str = "", used: Iterable[str] = ()) -> list[str]:
    """Return a camera name for each of `names`: allowed in Redis keys, all different, each ending in `suffix`.

    used: names that are taken, without the suffix.
    """
    unique = UniqueNames(used)
    room = MAX_CAMERA_CHARACTERS - len(suffix) - len("-9999")
    return [unique.take(_slug(name)[:room]) + suffix for name in names]


def stem(source: str) -> str:
    """Return the name of the file or folder of `source` without its ending; of an address its host."""
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
