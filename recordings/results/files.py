"""Files of results; until they are complete, their names end in `.partial`."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from posebus.errors import OutputError

PARTIAL = ".partial"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError inside the context into an OutputError with one sentence."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def write_at_once(path: Path, content: bytes) -> None:
    """Write a whole file: readers see the old content or the new one, and so it is with several writers.

    Raises OutputError.
    """
    temporary = path.with_name(f".posebus-{uuid.uuid4().hex}{PARTIAL}")
    with writing(path):
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def partial(path: Path) -> Path:
    """Return the name of `path` while the file is incomplete."""
    return path.with_name(path.name + PARTIAL)


class PartialFile:
    """A text file that gets its final name when it is complete; an older file of that name stays until then."""

    def __init__(self, path: Path) -> None:
        """Raises OutputError, as all methods do."""
        self.path = path
        with writing(path):
            # File names may contain bytes that are not text; escaped like this the JSON stays readable.
            self._file = partial(path).open("w", encoding="utf-8", errors="backslashreplace", newline="")

    def write(self, text: str) -> None:
        """Append `text`."""
        with writing(self.path):
            self._file.write(text)

    def copy_from(self, other: IO[str]) -> None:
        """Append the rest of another text file."""
        with writing(self.path):
            shutil.copyfileobj(other, self._file)

    def restart(self) -> None:
        """Delete all that was written so far."""
        with writing(self.path):
            self._file.seek(0)
            self._file.truncate()

    def complete(self) -> None:
        """Close the file and give it its final name."""
        self.close()
        with writing(self.path):
            partial(self.path).replace(self.path)

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name."""
        with writing(self.path):
            self._file.close()


def make_folder(folder: Path) -> None:
    """Create `folder` if it is missing, and check that files can be written into it. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Its name is new: another run may check the same folder at the same moment.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(
            f"no file can be written into the folder {folder}: {error.strerror}; choose another one with --out"
        ) from None
