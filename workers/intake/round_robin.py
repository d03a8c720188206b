"""How a worker shares its free slots among the cameras. Pure policy: the number of free slots is an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

MAX_PER_CAMERA = 4
"""Frames of one camera in one read at most, because no other worker can take a frame that this one holds."""


class ReadPlan:
    """A round robin over cameras that gives each the same share of the free slots.

    Each turn starts where the last one ended, so that a busy camera waits for the quiet ones and not the other way
    round.
    """

    def __init__(self, max_per_camera: int = MAX_PER_CAMERA) -> None:
        self._max_per_camera = max_per_camera
        self._start = 0

    def rounds(self, cameras: Sequence[str], free_slots: Callable[[], int]) -> Iterator[tuple[list[str], int]]:
        """Yield the reads of one turn over `cameras`: (cameras to read, frames of each at most).

        `free_slots` is called before each read, because the frames of earlier reads of the turn have taken slots. The
        turn ends when every camera was read once or no slot is free. The first read asks for no more frames than slots
        are free. While reads return nothing, the next one asks twice as many cameras: with a thousand quiet ones,
        asking four at a time would be most of the broker's work. If many frames arrive at just that moment, they exceed
        the free slots once.
        """
        left, width, before = len(cameras), 0, -1
        while left > 0 and (free := free_slots()) > 0:
            width = 2 * width if free == before else free
            before = free
            chosen = min(left, max(width, free))
            first = self._start % len(cameras)
            self._start = (first + chosen) % len(cameras)
            left -= chosen
            yield [*cameras[first:], *cameras[:first]][:chosen], min(self._max_per_camera, max(1, free // chosen))
