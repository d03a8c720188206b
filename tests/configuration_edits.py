"""Random edits of a configuration file, valid and broken, and the ways in which editors write it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

WIDTHS_PX = (128, 160, 192, 224)


@dataclass(frozen=True, slots=True)
class Edit:
    """`cameras`: the width of each camera's pictures, None if it is paused; None for a broken file as a whole."""

    text: str
    cameras: dict[str, int | None] | None
    workers: int = 1
    trackers: int = 1


class Edits:
    """Edits of one file, each random and seeded."""

    def __init__(self, seed: int, head: str, *, names: int = 4, most_workers: int = 1) -> None:
        """`head` is YAML that begins each file and ends inside of `cameras:`."""
        self._rng = random.Random(seed)
        self.head = head
        self._names = [f"cam.{number}" if number % 2 else f"cam-{number}" for number in range(names)]
        self._most_workers = most_workers
        self.cameras: dict[str, int | None] = {}
        self._workers = self._trackers = 1

    def next(self) -> Edit:
        """Return the next edit: one camera comes, goes, changes or pauses, or a number of processes; a third break."""
        rng = self._rng
        if rng.random() < 1 / 3:
            return self.broken()
        name = rng.choice(self._names)
        if rng.random() < 0.15:
            self._workers, self._trackers = rng.randint(1, self._most_workers), rng.randint(1, self._most_workers)
        elif name in self.cameras and rng.random() < 0.3:
            del self.cameras[name]
        elif name in self.cameras and rng.random() < 0.3:
            self.cameras[name] = None
        else:
            self.cameras[name] = rng.choice(WIDTHS_PX)
        return Edit(self._text(), dict(self.cameras), self._workers, self._trackers)

    def _text(self) -> str:
        rng, lines = self._rng, [self.head]
        for name, width_px in self.cameras.items():
            source = f"synthetic:zidane?fps=3&height=96&width={width_px or 128}"
            fields = {"source": source, **({"paused": True} if width_px is None else {})}
            if rng.random() < 0.5:
                lines.append(f"  {name}: {json.dumps(fields)}")
            else:
                lines += [f"  {name}:", *(f"    {key}: {json.dumps(value)}" for key, value in fields.items())]
            lines += ["  # a remark"] if rng.random() < 0.2 else []
        lines.append(f"fleet: {{workers: {self._workers}, trackers: {self._trackers}}}")
        return "\n".join(lines) + "\n"

    def broken(self) -> Edit:
        """Return an edit that no settings can be read from."""
        text = self._text()
        wrong = (
            "",
            "\n\n",
            text + "no_such_section: 1\n",
            text + "worker {imgsz: 320}\n",
            text + "worker: {imgsz: 321}\n",
            text + "tracker: [1, 2\n",
            text.replace("source:", "sorce:").replace('"source"', '"sorce"'),
            text.replace("fleet: {workers: ", "fleet: {workers: -"),
            text.replace("\n  ", "\n\t"),
            text + "cameras: {}\n",  # a second time
            "- a list\n",
            "\x00" + text,
            text + "x: *nothing\n",
        )
        return Edit(self._rng.choice(wrong), None)

    def pause_polls(self) -> int:
        """How often to look at the deployment before the next edit."""
        return self._rng.choice((0, 0, 5, 30))

    def write(self, edit: Edit, path: Path) -> None:
        """Write the file like one of several editors: in place, in two parts, as a new file, after deleting it."""
        way = self._rng.randrange(4)
        if way == 0:
            path.write_text(edit.text)
        elif way == 1:
            with path.open("w") as file:
                file.write(edit.text[: len(edit.text) // 2])
                file.flush()
                file.write(edit.text[len(edit.text) // 2 :])
        elif way == 2:
            new = path.with_suffix(".new")
            new.write_text(edit.text)
            new.replace(path)
        else:
            path.unlink()
            path.write_text(edit.text)
