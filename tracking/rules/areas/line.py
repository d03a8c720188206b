"""People cross a line, in a direction. Pure.

Side a is left, and side b right, of the way from the first point of the line to the second one, as one sees it in the
picture. See `crossing` for what counts as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from posebus.config.rules.kinds import LineRule
from tracking.rules.areas.crossing import (
    ENTERING_NS,
    CrossingLine,
    FirstSeen,
    Seen,
    came_in,
    ended,
    first_seen,
    follow_person,
)
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.clock import nanoseconds
from tracking.rules.scene import Scene
from tracking.rules.shapes import LINE_MARGIN
from tracking.rules.sound import corners_px

NAMES = {1: "a_to_b", -1: "b_to_a"}
AT_BORDER, FIRST_AT_BORDER = 0.05, 0.1
"""How near the box of a person who left, or came, is to the border of the picture, in its own heights. Boxes of the few
parts of a body that are seen first are less exact."""
NEW_S = 1.0
"""Age of a track that has just begun. An older one was in the picture before the rule was."""


class CrossedLine:
    """Follows on which side each person is, and counts crossings."""

    def __init__(self, settings: LineRule, place: Place) -> None:
        ends_px = place.in_pixels(settings.points)
        self._shape = place.shapes.add_line(ends_px)
        (x, y), (end_x, end_y) = ends_px.tolist()
        self._line = CrossingLine(x, y, end_x - x, end_y - y, math.dist((x, y), (end_x, end_y)), LINE_MARGIN)
        self._settle_ns = nanoseconds(settings.settle_s)
        self._settled = _Settled()

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        settled, jumped = self._settled, scene.walked.jumped
        on_b = scene.located.marks[self._shape]
        if not scene.ended_ids and not jumped and settled.are_there(on_b, scene.ids, memory.tracks):
            return ()
        rows = settled.others(on_b, scene.ids, memory.tracks)
        if jumped:
            rows = sorted({*rows, *jumped})
        steps: list[Step] = []
        for row in rows:
            if scene.people[row].coasted:
                continue
            crossed, since_ns = self._look(scene, memory, row, row in jumped)
            if crossed:
                steps.append(self._step(scene, memory, scene.ids[row], crossed, scene.clock.now_ns - since_ns))
        settled.note(rows, on_b, scene.ids, memory.tracks)
        for track_id in scene.ended_ids:
            if track_id in memory.tracks and scene.ended_by != "cut":
                steps += self._at_end(scene, memory, track_id)
        return steps

    def _look(self, scene: Scene, memory: Memory, row: int, jumped: bool) -> tuple[int, int]:
        """Note where a person is; returns the crossing, or 0, and since when the person is on this side."""
        tracks, track_id, now_ns, seq = memory.tracks, scene.ids[row], scene.clock.now_ns, scene.frame.seq
        entry, code = tracks.get(track_id), scene.located.code(self._shape, row)
        walked = scene.walked
        apart_px, along_px = scene.located.offsets_px[self._shape, row].tolist()
        last = self._line.beside(*walked.places_px[row].tolist())
        if any(track_id == one.to_id for one in scene.frame.renamed):
            # The way under this number was that of another person. If this one has changed sides, it was about here.
            last = (-apart_px, along_px)
        speed_px_s = self._line.speed(*walked.velocities_px_s[row].tolist())
        seen = Seen(apart_px, along_px, scene.heights[row], code != 0, last, speed_px_s)
        if entry is None or (jumped and code + code != 4 * entry["side"]):
            tracks[track_id] = first_seen(seen, now_ns, seq)
            if entry is None and now_ns > 0 and scene.people[row].age_s <= NEW_S:
                borders = self._borders(scene, row)
                if any(borders):
                    tracks[track_id]["came"] = [*scene.feet[row], now_ns, borders, 0.0]
            return 0, now_ns
        crossed, since_ns = follow_person(entry, seen, now_ns, seq, self._settle_ns, self._line)
        if "came" in entry:
            return self._came(entry, seen, scene, row, (crossed, since_ns))
        return crossed, since_ns

    def _came(
        self, entry: dict[str, Any], seen: Seen, scene: Scene, row: int, otherwise: tuple[int, int]
    ) -> tuple[int, int]:
        """The crossing of a person whose track began at the border a moment ago, or else `otherwise`."""
        now_ns, side, came = scene.clock.now_ns, entry["side"], entry["came"]
        came[-1] = max(came[-1], abs(seen.apart_px - seen.last[0]))
        first = FirstSeen(*came)
        if otherwise[0] or now_ns - first.at_ns > ENTERING_NS:
            del entry["came"]
        elif side and "on" not in entry:
            x, y = scene.feet[row]
            if came_in(first, (x, y), now_ns, seen.height_px, self._line, scene.frame.size_px) == side:
                del entry["came"]
                return side, first.at_ns
        return otherwise

    @staticmethod
    def _borders(scene: Scene, row: int) -> list[bool]:
        """Which borders of the picture the box of a person is at: left, top, right, bottom."""
        left, top, right, bottom = scene.boxes_px[row].tolist()
        width, height = scene.frame.size_px
        reach_px = FIRST_AT_BORDER * (bottom - top)
        return [left <= reach_px, top <= reach_px, right >= width - reach_px, bottom >= height - reach_px]

    def _at_end(self, scene: Scene, memory: Memory, track_id: int) -> Iterator[Step]:
        """Yield the crossing of a person whose track this frame ends, if there is one."""
        frame, walk = scene.frame, scene.last_walk(track_id)
        box = corners_px(next(track for track in frame.tracks if track.id == track_id))
        if walk is None or box is None:
            return
        width, height = frame.size_px
        reach_px = AT_BORDER * (box[3] - box[1])
        to_border_px = min(box[0], box[1], width - box[2], height - box[3])
        crossed = ended(memory.tracks[track_id], walk, box[3] - box[1], to_border_px <= reach_px, self._line)
        if crossed:
            yield self._step(scene, memory, track_id, crossed, scene.clock.now_ns - walk.seen_ns)

    def _step(self, scene: Scene, memory: Memory, track_id: int, crossed: int, ago_ns: int) -> Step:
        counts: dict[str, int] = memory.whole.setdefault("counts", {"a_to_b": 0, "b_to_a": 0})
        counts[NAMES[crossed]] += 1
        data = {"direction": NAMES[crossed], "counts": dict(counts), "since_ns": scene.frame.captured_at_ns - ago_ns}
        return Step("line.crossed", Phase.ONCE, track_id, data=data)


class _Settled:
    """People who are where they are settled: nothing is to be done for them. Derived from the memory, no part of it.

    It holds for one set of people and one table of tracks, which is another one after corrections and restarts.
    """

    def __init__(self) -> None:
        self._tracks: Mapping[int, Any] = {}
        self._count = 0
        self._ids: list[int] = []
        self._on_b: list[int | None] = []
        """By row, 1 if a person is settled on side b, 0 on side a; None for those to be looked at in each frame."""

    def are_there(self, on_b: list[int], ids: list[int], tracks: Mapping[int, Any]) -> bool:
        """Whether all people are where they are settled."""
        return on_b == self._on_b and self._are_known(ids, tracks)

    def others(self, on_b: list[int], ids: list[int], tracks: Mapping[int, Any]) -> Sequence[int]:
        """The rows of those who are not."""
        if not self._are_known(ids, tracks):
            self._ids, self._tracks, self._on_b = ids, tracks, [None] * len(ids)
        return [row for row, (one, settled) in enumerate(zip(on_b, self._on_b, strict=True)) if one != settled]

    def note(self, rows: Iterable[int], on_b: list[int], ids: list[int], tracks: Mapping[int, Any]) -> None:
        """Look at the memory of the people in these rows."""
        for row in rows:
            entry = tracks.get(ids[row])
            is_settled = entry is not None and entry["side"] and "on" not in entry and "came" not in entry
            self._on_b[row] = int(entry["side"] > 0) if entry is not None and is_settled else None
        self._count = len(tracks)

    def _are_known(self, ids: list[int], tracks: Mapping[int, Any]) -> bool:
        return ids is self._ids and tracks is self._tracks and len(tracks) == self._count
