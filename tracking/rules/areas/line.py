"""People cross a line, in a direction. Pure.

Side a is left, and side b right, of the way from the first point of the line to the second one, as one sees it in the
picture. See `crossing` for what counts as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from posebus.config.rules.kinds import LineRule
from posebus.messages import MAX_RENAME_DELAY_S, TrackFrame
from tracking.rules.areas.clock import NS_PER_S, nanoseconds, tick
from tracking.rules.areas.crossing import Seen, ended, first_seen, follow_person, forget_walk
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.scene import Scene
from tracking.rules.shapes import LINE_MARGIN

NAMES = {1: "a_to_b", -1: "b_to_a"}
AT_BORDER = 0.05
"""How near the box of a person who left is to the border of the picture, in its own heights."""


class CrossedLine:
    """Follows on which side each person is, and counts crossings."""

    def __init__(self, settings: LineRule, place: Place) -> None:
        ends_px = place.in_pixels(settings.points)
        self._shape = place.shapes.add_line(ends_px)
        self._line = (math.dist(*ends_px.tolist()), LINE_MARGIN)
        self._settle_ns = nanoseconds(settings.settle_s)

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        frame, tracks = scene.frame, memory.tracks
        now_ns, before_ns = tick(memory.whole, frame.captured_at_ns)
        steps: list[Step] = []
        if frame.renamed:
            _correct(frame, memory)
        located = scene.located
        codes, offsets = located.codes[self._shape], located.offsets_px[self._shape].tolist()
        for row, (track_id, code, at, person) in enumerate(zip(scene.ids, codes, offsets, scene.people, strict=True)):
            if person.coasted:
                continue
            entry = tracks.get(track_id)
            if entry is not None and code + code == 4 * entry["side"] and code:
                if "on" in entry:
                    forget_walk(entry)
                entry["at"], entry["seen_ns"] = at, now_ns
                continue
            seen = Seen(at[0], at[1], float(scene.heights_px[row]), code != 0)
            if entry is None:
                tracks[track_id] = first_seen(seen, now_ns, frame.seq)
                continue
            crossed = follow_person(entry, seen, now_ns, before_ns, frame.seq, self._settle_ns, self._line)
            if crossed:
                steps.append(self._step(memory, track_id, crossed, frame, now_ns - entry["since_ns"]))
        for track_id in scene.ended_ids:
            if track_id in tracks and scene.ended_by != "cut":
                steps += self._at_end(memory, track_id, frame, now_ns)
        return steps

    def _at_end(self, memory: Memory, track_id: int, frame: TrackFrame, now_ns: int) -> Iterator[Step]:
        """Yield the crossing of a person whose track this frame ends, if there is one."""
        entry = memory.tracks[track_id]
        box = next(track.box_xyxy_px for track in frame.tracks if track.id == track_id).tolist()
        width, height = frame.size_px
        reach_px = AT_BORDER * (box[3] - box[1])
        to_border_px = min(box[0], box[1], width - box[2], height - box[3])
        crossed = ended(entry, box[3] - box[1], to_border_px <= reach_px, self._line[0])
        if crossed:
            yield self._step(memory, track_id, crossed, frame, now_ns - entry["seen_ns"])

    def _step(self, memory: Memory, track_id: int, crossed: int, frame: TrackFrame, ago_ns: int) -> Step:
        counts: dict[str, int] = memory.whole.setdefault("counts", {"a_to_b": 0, "b_to_a": 0})
        counts[NAMES[crossed]] += 1
        _note_crossing(memory, track_id, crossed, frame.seq)
        data = {"direction": NAMES[crossed], "counts": dict(counts), "since_ns": frame.captured_at_ns - ago_ns}
        return Step("line.crossed", Phase.ONCE, track_id, data=data)


def _note_crossing(memory: Memory, track_id: int, crossed: int, seq: int) -> None:
    """Remember a crossing for as long as a correction may reach back."""
    oldest_ns = memory.whole["now_ns"] - round(MAX_RENAME_DELAY_S * NS_PER_S)
    recent = [one for one in memory.whole.get("recent", ()) if one[3] >= oldest_ns]
    memory.whole["recent"] = [*recent, [seq, track_id, crossed, memory.whole["now_ns"]]]


def _correct(frame: TrackFrame, memory: Memory) -> None:
    """Apply corrections, which the memory has followed already, so that no crossing is counted twice.

    A person who crossed under a wrong number has crossed under the right one. Two people whose numbers were exchanged
    only seem to have jumped to each other's place: what was not settled yet is where they are.
    """
    wrong = {one.from_id for one in frame.renamed}
    recent: list[list[Any]] = memory.whole.get("recent", [])
    for one in frame.renamed:
        entry = memory.tracks.get(one.to_id)
        if entry is None:
            continue
        if one.to_id in wrong:
            if entry.get("seq", -1) >= one.since_seq and entry["side"]:
                entry["side"] = entry["on"]
            continue
        for crossing in recent:
            if crossing[1] == one.from_id and crossing[0] >= one.since_seq:
                entry["side"] = crossing[2]
