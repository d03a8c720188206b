"""The process that makes the pictures of one recording. It ends with its parent, in whichever way that ends."""

from __future__ import annotations

import json
import os
import sys
import threading

from posebus.runtime.failures import in_one_sentence
from recordings.drawing.task import DrawingTask

LOWEST_PRIORITY = 19


def main() -> None:
    """Read a task from the first line of standard input, draw it, and write progress as lines of JSON."""
    os.nice(LOWEST_PRIORITY)
    line = sys.stdin.readline()
    if not line:
        return  # the parent has ended before it gave a task
    task = DrawingTask.from_json(line)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from recordings.drawing.making import make_pictures

    try:
        people = make_pictures(task, LinesOfJson())
    except Exception as error:  # noqa: BLE001 - the parent reports it, and draws the other videos
        _write({"error": in_one_sentence(error, about=task.source.source)})
    else:
        _write({"done": True, "people": people})


class LinesOfJson:
    """Progress for the parent, several times a second."""

    def __init__(self) -> None:
        self._next = 0

    def status(self, text: str) -> None: ...

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        if done >= self._next:
            self._next = done + max(1, int(fps / 5))
            _write({"frames": done, "total": total, "fps": fps})

    def finish(self, name: str) -> None: ...


def _write(fields: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    # The parent writes nothing more: the pipe ends when the parent does. A video of two processes would be damaged.
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
