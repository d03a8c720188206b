"""One video to draw, and what the process that draws it tells, as lines of JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from posebus.config.settings import CameraSettings
from recordings.results.video import PLAIN, Style


@dataclass(frozen=True, slots=True)
class DrawingTask:
    """The pictures of a recording, in the folder `target`.

    video: the tracks in `jsonl` drawn into the pictures of `source`, as NAME.annotated.mp4. snapshots: the best picture
    of each person, and NAME.people.csv with their names.
    """

    name: str
    source: CameraSettings
    jsonl: Path
    target: Path
    style: Style = PLAIN
    video: bool = True
    snapshots: bool = False

    def to_json(self) -> str:
        """Return the task as text."""
        return TaskFields(
            name=self.name,
            source=self.source,
            jsonl=str(self.jsonl),
            target=str(self.target),
            style=asdict(self.style),
            video=self.video,
            snapshots=self.snapshots,
        ).model_dump_json()

    @classmethod
    def from_json(cls, text: str) -> DrawingTask:
        """Read what `to_json` wrote."""
        fields = TaskFields.model_validate_json(text)
        return cls(
            name=fields.name,
            source=fields.source,
            jsonl=Path(fields.jsonl),
            target=Path(fields.target),
            style=Style(**fields.style),
            video=fields.video,
            snapshots=fields.snapshots,
        )


class TaskFields(BaseModel):
    """A task between two processes of one command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: CameraSettings
    jsonl: str
    target: str
    style: dict[str, Any]
    video: bool
    snapshots: bool
