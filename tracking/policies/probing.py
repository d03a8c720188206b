"""When `imgsz: auto` measures a camera by several views at once, and by which, within a bound of what that may cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from posebus.views import View
from tracking.policies.ladder import cost_px, scale_of, seen_part
from tracking.policies.sizes import ENOUGH, REFERENCE, Probed

AGAIN_S = (2.0, 6.0, 20.0, 60.0)
"""Pauses after the first, second, ... probe that found somebody; the last one again and again."""
WHILE_EMPTY = 5.0
"""So many times as long while nobody is tracked: it costs as much, and seldom tells anything."""
NOBODY_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""The same while probes find nobody: they cost the most, and tell the least."""
DRIFTED = 0.05
"""The law of heights says so much else of the people there now than of those in the probes: time for another one ..."""
DRIFT_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""... though not sooner than this after the last, and later and later while nothing comes of it."""
WORTH_A_TRY = 0.8
"""A cheaper view that was never tried is, at once, if the law of heights gives it this much."""
COST_SHARE = 0.05
"""What probes may cost, in parts of all that is inferred ..."""
FREE_ROUNDS = 1.0
"""... beside the first one, and so many times what that took."""


class Counts(NamedTuple):
    """done: probes with people so far; in_vain: those since then that found nobody; steady: those since the view was
    chosen that left it as it is."""

    done: int = 0
    in_vain: int = 0
    steady: int = 0


class Asked(NamedTuple):
    """Views to measure beside the camera's own, and why; hopeful: that they show anybody is no more than a hope."""

    views: tuple[View, ...]
    why: str
    hopeful: bool = False


def due(
    current: View,
    views: Sequence[View],
    size_px: tuple[int, int],
    *,
    probes: Sequence[Probed],
    heights_px: Sequence[float],
    since_s: float,
    counts: Counts,
) -> Asked | None:
    """The next probe, if it is time for one.

    probes: those that count; heights_px: of the people that are tracked now; since_s: the last probe is so long ago.
    """
    if not probes:
        if heights_px and since_s >= min(AGAIN_S):
            return Asked(_ends(current, views), "the first people came")
        pause_s = NOBODY_S[min(counts.in_vain, len(NOBODY_S)) - 1] if counts.in_vain else 0.0
        if not heights_px and since_s >= pause_s:
            return Asked(_upper(current, views), "nobody was found yet", hopeful=True)
        return None
    cheaper = _untried(current, views, size_px, probes)
    if cheaper:
        return Asked(cheaper, "a smaller size was not tried yet")
    pause_s = DRIFT_PAUSES_S[min(counts.steady, len(DRIFT_PAUSES_S) - 1)]
    if heights_px and since_s >= pause_s and _drifted(current, views, size_px, probes, heights_px):
        return Asked(_around(current, views, size_px, heights_px), "the people are of another size now")
    pause_s = AGAIN_S[min(counts.done, len(AGAIN_S)) - 1] * (1.0 if heights_px else WHILE_EMPTY)
    if since_s >= pause_s:
        return Asked(_around(current, views, size_px, [height for height, _ in probes[-1].people]), "it is time again")
    return None


def affordable(asked: Asked, asked_px: int, spent_px: int, inferred_px: int, first_px: int) -> bool:
    """Whether `asked`, of that cost, may be measured: `spent_px` is what probes after the first, of `first_px`, took.

    What is hopeful leaves enough for measuring once more when people do come.
    """
    kept_px = first_px if asked.hopeful else 0
    return spent_px + asked_px + kept_px <= COST_SHARE * inferred_px + FREE_ROUNDS * first_px


def _ends(current: View, views: Sequence[View]) -> tuple[View, ...]:
    """A small and the largest whole picture: what lies between follows from how large the people are."""
    whole = [view for view in views if not view.tiled]
    return tuple(view for view in dict.fromkeys((whole[min(1, len(whole) - 1)], whole[-1])) if view != current)


def _upper(current: View, views: Sequence[View]) -> tuple[View, ...]:
    """The largest whole picture, and the tiles."""
    whole = [view for view in views if not view.tiled]
    return tuple(view for view in (whole[-1], *views[len(whole) :][-1:]) if view != current)


def _around(
    current: View, views: Sequence[View], size_px: tuple[int, int], heights_px: Sequence[float]
) -> tuple[View, ...]:
    """The next cheaper view and one that is well larger; two, where heights say that the present one is too small."""
    place = views.index(current) if current in views else 0
    larger = [view for view in views if scale_of(view, size_px) >= REFERENCE * scale_of(current, size_px)]
    above = larger[:1] or list(views[place + 1 :][-1:])
    if heights_px and _law(heights_px, scale_of(current, size_px)) < ENOUGH and larger:
        above += [view for view in (views[-1],) if view not in above]
    return (*views[max(place - 1, 0) : place], *above)


def _untried(
    current: View, views: Sequence[View], size_px: tuple[int, int], probes: Sequence[Probed]
) -> tuple[View, ...]:
    """The next cheaper view with one to compare it with, where it was never measured and may well do."""
    cheaper = views[max(views.index(current) - 1, 0)] if current in views else current
    if cheaper == current or any(cheaper in probe.missed for probe in probes):
        return ()
    scale = scale_of(cheaper, size_px)
    if _law([height for probe in probes for height, _ in probe.people], scale) < WORTH_A_TRY:
        return ()
    judges = [view for view in views if scale_of(view, size_px) >= REFERENCE * scale and view != current]
    return (cheaper, *judges[:1])


def _drifted(
    current: View,
    views: Sequence[View],
    size_px: tuple[int, int],
    probes: Sequence[Probed],
    heights_px: Sequence[float],
) -> bool:
    place = views.index(current) if current in views else 0
    before = [height for probe in probes for height, _ in probe.people]
    return any(
        abs(_law(heights_px, scale_of(view, size_px)) - _law(before, scale_of(view, size_px))) > DRIFTED
        for view in views[max(place - 1, 0) : place + 1]
    )


def _law(heights_px: Sequence[float], scale: float) -> float:
    return sum(seen_part(height * scale) for height in heights_px) / len(heights_px)


def cost_of(views: Iterable[View], size_px: tuple[int, int]) -> int:
    """Pixels of the network's input of all of them."""
    return sum(cost_px(view, size_px) for view in views)
