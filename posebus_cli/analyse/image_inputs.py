"""What `posebus image` analyses: picture files, folders of them, patterns, and one picture of any other source."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recordings.live.sources import Look
    from recordings.results.draw import Image


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A picture file, or the picture that was taken from another source. `name` is that of its files."""

    shown: str
    name: str
    look: Look | None = None

    def pictures(self) -> Iterator[tuple[dict[str, Any], Image]]:
        """Yield each picture, BGR (H, W, 3), with what its result says about its origin.

        Raises PoseBusError, and the unforeseen errors of libraries.
        """
        from ingest.sources.pictures.opening import open_picture

        if self.look is not None:
            yield {"source": self.shown, "captured_at_ns": self.look.captured_at_ns}, self.look.image_bgr
            return
        with open_picture(Path(self.shown)) as opened:
            for page in range(1, opened.count + 1):
                about = {"file": self.shown} if opened.count == 1 else {"file": self.shown, "page": page}
                yield about, opened.read(page - 1).image_bgr


def inputs_of(arguments: Sequence[str]) -> tuple[list[ImageInput], int]:
    """Return all inputs, and the number of arguments without any, each of which was reported."""
    from posebus.errors import PoseBusError
    from posebus.runtime.failures import complain

    inputs: list[ImageInput] = []
    failed = 0
    for argument in arguments:
        try:
            for one in _expanded(argument):
                inputs += _inputs_in(one)
        except PoseBusError as error:
            complain(error)
            failed += 1
    return inputs, failed


def _expanded(argument: str) -> list[str]:
    """Return the files that match a pattern which the shell has left as it is; other arguments themselves."""
    from posebus.errors import SourceRejected

    if "://" in argument or not glob.has_magic(argument) or Path(argument).exists():
        return [argument]
    found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns, too
    if not found:
        raise SourceRejected(f"no file matches {argument}; check the pattern")
    return found


def _inputs_in(argument: str) -> list[ImageInput]:
    from ingest.sources.pictures.folder import list_pictures
    from posebus.config.local_files import local_path
    from posebus.config.redaction import redact_url
    from posebus.runtime.failures import complain
    from recordings.inputs import file_names
    from recordings.live.naming import source_name

    look = _taken(argument)
    if look is not None:
        return [ImageInput(redact_url(argument), source_name(argument), look)]
    found = list_pictures(local_path(argument))
    if found.warning is not None:
        complain(found.warning)
    return [ImageInput(str(path), file_names([str(path)])[0]) for path in found.paths]


def _taken(argument: str) -> Look | None:
    """Return a picture of a video, camera or address; None for picture files. Raises PoseBusError."""
    from ingest.sources import source_spec
    from posebus.config.local_files import check_readable, local_path
    from posebus.config.settings import CameraSettings
    from recordings.live.sources import look_at

    settings = CameraSettings(source=argument)
    spec = source_spec(settings)
    if spec.kind == "images":
        return None
    if spec.kind == "file":
        check_readable(local_path(argument))
    return look_at(settings)
