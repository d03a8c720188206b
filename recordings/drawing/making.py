"""Making the pictures of one task: the annotated video, and the snapshots of people."""

from __future__ import annotations

from typing import Any

from recordings.drawing.task import DrawingTask
from recordings.progress import Progress
from recordings.results.people.pictures import Pictures
from recordings.results.people.table import people_in

PeopleRows = list[dict[str, Any]]
"""A table of people: the columns of each by name."""


def make_pictures(task: DrawingTask, progress: Progress) -> PeopleRows | None:
    """Make what `task` asks for; returns the table of people with their snapshots, None where none are wanted.

    Raises OutputError, MalformedMessage and the errors of reading the source.
    """
    pictures = Pictures(task.target, task.name, task.jsonl, task.video, task.snapshots, task.style)
    people = pictures.make(task.source, people_in(task.jsonl) if task.snapshots else [], progress)
    return [person.row() for person in people] if task.snapshots else None
