"""On which side of a line a person is, and when the person has crossed it. Pure.

A person *settles* on a side after being clearly off the line there for `settle_ns`, or, for one who stops close to the
line, after staying on that side for longer (CLOSE_NS). A crossing is counted when a person who was settled on one side
settles on the other one, once, and only if the path passed between the ends of the line. So one frame of flicker, or
feet that jitter on the line, change nothing, and the directions of a person's crossings alternate.

Lines close to the border of the picture leave no time for that. There the walk decides: a person who was walking
towards the line, and is on the other side when the track ends, has crossed it, and so has a person who came from the
other side step by step when the track began, or who came in over that border and the line, of which only the rest of
the way is seen.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tracking.rules.clock import NS_PER_S, nanoseconds
from tracking.rules.walks import Walk

CLOSE_NS = nanoseconds(1.0)
"""How much longer it takes to settle close to a line."""
CLOSE_SHARE = 0.5
"""Of the margin around a line: mean distance of a person who settles close to it."""
ENDS = 0.1
"""How far beyond the ends of a line a path may pass, in body heights: feet jitter, and bodies are wide."""
WALKING = 0.2
"""Speed across the line, in body heights a second, of a person who walks over it: slow walking."""
CAME = 0.15
"""How far, in body heights, a person has to come to have walked over the line before settling on the first side."""
ONE_STEP = 0.6
"""Share of that way which is no walk if it was made between two frames: it is flicker."""
LEAVING_S = 0.5
"""A person who leaves the picture that long before reaching a line close to the border has crossed it."""
ENTERING, ENTERING_NS = 0.25, nanoseconds(1.5)
"""How far, in body heights, and for how long at most, a person has to walk into the picture to have come in over its
border just before: more than boxes at the border tremble or grow."""
BEFORE = 0.5
"""How far, in body heights, from the border a person is seen first whose body is still at it."""
OF_RUNS = ("on", "since_ns", "seq", "clear_ns", "sum_px", "count", "gate", "came_px_s", "step_px")
"""What is remembered only while the newest positions are not on the side on which the person is settled."""


class CrossingLine(NamedTuple):
    """The line: its first end, the way to the second one and its length in pixels, and the margin in body heights."""

    x: float
    y: float
    along_x: float
    along_y: float
    length_px: float
    margin: float

    def beside(self, x: float, y: float) -> tuple[float, float]:
        """How far a place is from the line, negative on side a, and how far along it, in pixels."""
        x, y = x - self.x, y - self.y
        apart_px = (self.along_x * y - self.along_y * x) / self.length_px
        return apart_px, (self.along_x * x + self.along_y * y) / self.length_px

    def speed(self, velocity_x: float, velocity_y: float) -> float:
        """How fast a person with this velocity goes across the line, positive towards side b."""
        return (self.along_x * velocity_y - self.along_y * velocity_x) / self.length_px


class Seen(NamedTuple):
    """Where a person is seen: distance from the line in pixels (negative on side a), way along it, height of the body.

    clear: whether that is clearly off the line. last: distance and way of the last place before. speed_px_s: across
    the line, until then.
    """

    apart_px: float
    along_px: float
    height_px: float
    clear: bool
    last: tuple[float, float]
    speed_px_s: float


def first_seen(seen: Seen, now_ns: int, seq: int) -> dict[str, Any]:
    """Return what is remembered of a person who is seen for the first time, or came on a way that is not known."""
    return {
        "side": 0,
        "from_px": seen.apart_px if seen.clear else 0.0,
        **_run(_side(seen.apart_px, 1), now_ns, seq),
        "clear_ns": now_ns if seen.clear else None,
        "sum_px": seen.apart_px,
        "count": 1,
    }


def follow_person(
    entry: dict[str, Any], seen: Seen, now_ns: int, seq: int, settle_ns: int, line: CrossingLine
) -> tuple[int, int]:
    """Note where a person is; returns 1 for a crossing from a to b, -1 from b to a, 0 for none, and when it was.

    Args:
        entry: what is remembered of the person: `side` on which the person is settled (-1 is a, 1 is b, 0 not yet).
            While the newest positions are on another side: `on` which, since `since_ns`, and whether a path between the
            ends of the line led there (`gate`).
        seen: where the person is.
        now_ns: time of the frame.
        seq: number of the frame.
        settle_ns: see the module.
        line: the line.
    """
    on = entry.get("on", entry["side"])
    side = _side(seen.apart_px, on or 1)
    if side != on:
        if side == entry["side"]:
            _end_run(entry)
            return 0, now_ns
        entry["came_px_s"] = seen.speed_px_s
        entry["gate"], entry["step_px"] = _passes(seen, line.length_px), seen.apart_px - seen.last[0]
        entry.update(_run(side, now_ns, seq))
    if side == entry["side"] or not _has_settled(entry, seen, side, now_ns, settle_ns, line.margin):
        return 0, now_ns
    since_ns: int = entry["since_ns"]
    return _settle(entry, seen, side), since_ns


def ended(entry: dict[str, Any], walk: Walk, height_px: float, left_picture: bool, line: CrossingLine) -> int:
    """Return the crossing of a person whose track ends, as `follow_person`: the walk decides what was not settled yet.

    Args:
        entry: what is remembered of the person.
        walk: where the person was last seen.
        height_px: height of the body.
        left_picture: whether the person was at the border of the picture.
        line: the line.
    """
    side, on = entry["side"], entry.get("on", entry["side"])
    walking_px_s = WALKING * height_px
    speed_px_s = line.speed(walk.velocity_x, walk.velocity_y)
    if side == 0:
        return 0
    if on == -side:
        walked = entry.get("came_px_s", 0.0) * on >= walking_px_s and speed_px_s * on > -walking_px_s
        return on if walked and entry.get("gate") else 0
    towards_px_s = -speed_px_s * side
    apart_px, along_px = line.beside(walk.x, walk.y)
    reaches = towards_px_s >= walking_px_s and abs(apart_px) <= LEAVING_S * towards_px_s
    return -side if left_picture and reaches and 0.0 <= along_px <= line.length_px else 0


class FirstSeen(NamedTuple):
    """Where and when a track began, and which borders of the picture its box was at: left, top, right, bottom.

    step_px: the longest way across the line since then that was made between two frames.
    """

    x: float
    y: float
    at_ns: int
    borders: tuple[bool, bool, bool, bool]
    step_px: float


def came_in(
    first: FirstSeen,
    place: tuple[float, float],
    now_ns: int,
    height_px: float,
    line: CrossingLine,
    size_px: tuple[int, int],
) -> int:
    """Return the crossing, as `follow_person`, of a person who walked in from the border where the track began.

    There is one if the way, continued backwards by half a body height, leads over the line and out of the picture, over
    a border at which the body was.

    Args:
        first: where the track began.
        place: where the person is.
        now_ns: time of the frame.
        height_px: height of the body.
        line: the line.
        size_px: (width, height) of the picture.
    """
    elapsed_s, way = (now_ns - first.at_ns) / NS_PER_S, (place[0] - first.x, place[1] - first.y)
    (before_px, _), (apart_px, _) = line.beside(first.x, first.y), line.beside(*place)
    side = _side(apart_px, 1)
    across_px, way_px = (apart_px - before_px) * side, math.hypot(*way)
    if elapsed_s <= 0.0 or across_px < max(ENTERING, WALKING * elapsed_s) * height_px:
        return 0
    if first.step_px > ONE_STEP * across_px:
        return 0
    past = before_px * side / across_px
    back = BEFORE * height_px / way_px
    if past > back:
        return 0
    _, along_px = line.beside(first.x - past * way[0], first.y - past * way[1])
    x, y = first.x - back * way[0], first.y - back * way[1]
    left, top, right, bottom = first.borders
    outside = (left and x <= 0.0) or (top and y <= 0.0) or (right and x >= size_px[0]) or (bottom and y >= size_px[1])
    return side if outside and 0.0 <= along_px <= line.length_px else 0


def _end_run(entry: dict[str, Any]) -> None:
    for name in OF_RUNS:
        entry.pop(name, None)


def _side(apart_px: float, otherwise: int) -> int:
    return 1 if apart_px > 0.0 else -1 if apart_px < 0.0 else otherwise


def _run(side: int, now_ns: int, seq: int) -> dict[str, Any]:
    """What is remembered of the newest positions, which are all on one side."""
    return {"on": side, "since_ns": now_ns, "seq": seq, "clear_ns": None, "sum_px": 0.0, "count": 0}


def _passes(seen: Seen, length_px: float) -> bool:
    """Whether the straight way from the last position passes between the ends of the line."""
    last = seen.last
    whole_px = last[0] - seen.apart_px
    share = last[0] / whole_px if whole_px else 1.0
    along_px = last[1] + share * (seen.along_px - last[1])
    slack_px = ENDS * seen.height_px
    return -slack_px <= along_px <= length_px + slack_px


def _has_settled(entry: dict[str, Any], seen: Seen, side: int, now_ns: int, settle_ns: int, margin: float) -> bool:
    entry["sum_px"] += seen.apart_px
    entry["count"] += 1
    if not seen.clear:
        entry["clear_ns"] = None
    elif entry["clear_ns"] is None:
        entry["clear_ns"] = now_ns
    since_ns, clear_ns = entry["since_ns"], entry["clear_ns"]
    if clear_ns is not None and now_ns - clear_ns >= settle_ns:
        return True
    mean_px = entry["sum_px"] / entry["count"] * side
    long_enough = now_ns - since_ns >= settle_ns + CLOSE_NS
    return bool(long_enough and mean_px >= CLOSE_SHARE * margin * seen.height_px)


def _settle(entry: dict[str, Any], seen: Seen, side: int) -> int:
    """Settle the person on `side`; returns the crossing, or 0."""
    before, through = entry["side"], entry.get("gate", False)
    from_px = entry.pop("from_px", 0.0)
    if before == 0 and through and from_px * side < 0.0:
        way_px = (seen.apart_px - from_px) * side
        walked = way_px >= CAME * seen.height_px and entry["step_px"] * side <= ONE_STEP * way_px
        before = -side if walked else 0
    entry["side"] = side
    _end_run(entry)
    return side if before == -side and through else 0
