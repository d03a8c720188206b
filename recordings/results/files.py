"""The text files of one recording; until they are complete, their names end in `.partial`."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from posebus.contract.public_json import dump, track_frame_to_json
from posebus.errors import OutputError
from posebus.messages import Provenance, TrackFrame, TrackState
from posebus.subscribing.renaming import FinalIds

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
            self._file = partial(path).open("w", encoding="utf-8", errors="backslashreplace")

    def write(self, text: str) -> None:
        """Append `text`."""
        with writing(self.path):
            self._file.write(text)

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


class ResultFiles:
    """The files of recordings in one folder, by the name of a recording."""

    TRACKS = (".tracks.jsonl", ".mot.txt")
    VIDEO = ".annotated.mp4"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def complete(self, name: str) -> bool:
        """Return whether all files of the tracks of `name` have their final names."""
        return all(self._path(name, ending).is_file() for ending in self.TRACKS)

    def any_of(self, name: str) -> bool:
        """Return whether there is a file that `name` would overwrite."""
        return any(self._path(name, ending).is_file() for ending in (*self.TRACKS, self.VIDEO))

    def drawn(self, name: str) -> bool:
        """Return whether the video of `name` is complete."""
        return self._path(name, self.VIDEO).is_file()

    def tracks(self, name: str) -> Path:
        """Return the path of the file with every track in every frame."""
        return self._path(name, self.TRACKS[0])

    def _path(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}{ending}"


FILE_EPOCH = 1
"""A file holds one reading of its recording. The number of the epoch in the broker is a time, by which the files of two
runs would differ."""


class TracksWriter:
    """NAME.tracks.jsonl and NAME.mot.txt of one recording, with final numbers: each frame is held back until then."""

    def __init__(self, folder: Path, name: str) -> None:
        """Raises OutputError, as all methods do."""
        self._name = name
        self._final: FinalIds[Provenance] = FinalIds()
        self._jsonl = PartialFile(folder / f"{name}.tracks.jsonl")
        try:
            self._mot = PartialFile(folder / f"{name}.mot.txt")
        except OutputError:
            self._jsonl.close()
            raise

    @property
    def jsonl_path(self) -> Path:
        return self._jsonl.path

    def write(self, frame: TrackFrame, provenance: Provenance) -> None:
        """Take the next frame; frames must come in order."""
        self._append(self._final.push(frame, provenance))

    def restart(self) -> None:
        """Delete all that was written so far, because the recording is read again."""
        self._final.rest()
        self._jsonl.restart()
        self._mot.restart()

    def complete(self) -> None:
        """Write the frames that are still held back, and give both files their final names."""
        self._append(self._final.rest())
        self._jsonl.complete()
        self._mot.complete()

    def __enter__(self) -> TracksWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OutputError):  # the reason why writing stopped matters more than its last frames
            self._append(self._final.rest())
        self._jsonl.close()
        self._mot.close()

    def _append(self, frames: Iterable[tuple[TrackFrame, Provenance]]) -> None:
        for frame, provenance in frames:
            named = replace(frame, camera=self._name, epoch=FILE_EPOCH)
            self._jsonl.write(dump(track_frame_to_json(named, provenance, provenance.published_at_ns)) + "\n")
            self._mot.write("".join(mot_lines(frame)))


def mot_lines(frame: TrackFrame) -> Iterator[str]:
    """Yield the confirmed tracks of `frame` as rows of a MOTChallenge result file (Leal-Taixé et al. 2015).

    Coasted tracks are among them with their predicted boxes: ground truth in this format continues while a person is
    hidden. Columns: frame from 1, id, left, top, width, height in source pixels, score, -1 for the world coordinates.
    """
    for track in frame.tracks:
        if track.state == TrackState.CONFIRMED:
            left, top, right, bottom = (float(value) for value in track.box_xyxy_px)
            box = f"{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f}"
            yield f"{frame.seq + 1},{track.id},{box},{track.score:.4f},-1,-1,-1\n"


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
