"""When `imgsz: auto` probes a camera by several views at once, and by which, within a bound on the cost of probes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from posebus.views import View
from tracking.policies.ladder import cost_px, mean_recall, scale_of
from tracking.policies.recall import ENOUGH, REFERENCE, ProbeResult

REPEAT_S = (2.0, 6.0, 20.0, 60.0)
"""Pauses after the first, second, ... probe that found people; the last one repeats."""
EMPTY_FACTOR = 5.0
"""Factor on these pauses while no person is tracked: such a probe costs as much and seldom shows anything new."""
EMPTY_PAUSES_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Pauses while probes find no person: they cost most and show least."""
DRIFTED = 0.05
"""A probe is due if the recall model's value for the people tracked now differs this much from that for the people in
the probes ..."""
DRIFT_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""... but not sooner than this after the last one, and later each time that the view stays as it is."""
WORTH_A_TRY = 0.8
"""A cheaper view that was never probed is probed at once if the recall model gives it at least this."""
COST_SHARE = 0.05
"""Bound on the cost of probes, as a share of all that is inferred ..."""
FREE_ROUNDS = 1.0
"""... on top of the first probe and this many times its cost."""


class ProbeCounts(NamedTuple):
    """done: probes with people so far; empty: those since then that found no person; unchanged: those since the view
    was chosen that left it as it is."""

    done: int = 0
    empty: int = 0
    unchanged: int = 0


class ProbeRequest(NamedTuple):
    """Views to probe beside the camera's own, and why. `speculative`: there is no sign that they show a person."""

    views: tuple[View, ...]
    why: str
    speculative: bool = False


def due(
    current: View,
    views: Sequence[View],
    size_px: tuple[int, int],
    *,
    probes: Sequence[ProbeResult],
    heights_px: Sequence[float],
    since_s: float,
    counts: ProbeCounts,
) -> ProbeRequest | None:
    """The next probe, if one is due.

    Args:
        current: the view in use.
        views: all views that may be chosen, by ascending scale.
        size_px: (width, height) of the picture.
        probes: recent probes.
        heights_px: heights of the people tracked now.
        since_s: time since the last probe.
        counts: how the probes so far went.
    """
    if not probes:
        if heights_px and since_s >= min(REPEAT_S):
            return ProbeRequest(_ends(current, views), "the first people came")
        pause_s = EMPTY_PAUSES_S[min(counts.empty, len(EMPTY_PAUSES_S)) - 1] if counts.empty else 0.0
        if not heights_px and since_s >= pause_s:
            return ProbeRequest(_upper(current, views), "no person was found yet", speculative=True)
        return None
    cheaper = _untried(current, views, size_px, probes)
    if cheaper:
        return ProbeRequest(cheaper, "a smaller size was not tried yet")
    pause_s = DRIFT_PAUSES_S[min(counts.unchanged, len(DRIFT_PAUSES_S) - 1)]
    if heights_px and since_s >= pause_s and _drifted(current, views, size_px, probes, heights_px):
        return ProbeRequest(_around(current, views, size_px, heights_px), "people have another size now")
    pause_s = REPEAT_S[min(counts.done, len(REPEAT_S)) - 1] * (1.0 if heights_px else EMPTY_FACTOR)
    if since_s >= pause_s:
        probed_heights_px = [height for height, _ in probes[-1].people]
        return ProbeRequest(_around(current, views, size_px, probed_heights_px), "a regular probe is due")
    return None


def affordable(request: ProbeRequest, request_px: int, spent_px: int, inferred_px: int, first_px: int) -> bool:
    """Whether the cost of a probe is within the bound.

    A speculative probe must leave enough for one more, once people do come.

    Args:
        request: the probe.
        request_px: its cost, in pixels of the network's input.
        spent_px: cost of the probes after the first one.
        inferred_px: cost of all inferred frames.
        first_px: cost of the first probe.
    """
    reserved_px = first_px if request.speculative else 0
    return spent_px + request_px + reserved_px <= COST_SHARE * inferred_px + FREE_ROUNDS * first_px


def _ends(current: View, views: Sequence[View]) -> tuple[View, ...]:
    """A small and the largest whole picture: the heights of people tell the recall of the views between."""
    whole = [view for view in views if not view.tiled]
    return tuple(view for view in dict.fromkeys((whole[min(1, len(whole) - 1)], whole[-1])) if view != current)


def _upper(current: View, views: Sequence[View]) -> tuple[View, ...]:
    """The largest whole picture, and the most tiles."""
    whole = [view for view in views if not view.tiled]
    return tuple(view for view in (whole[-1], *views[len(whole) :][-1:]) if view != current)


def _around(
    current: View, views: Sequence[View], size_px: tuple[int, int], heights_px: Sequence[float]
) -> tuple[View, ...]:
    """The next cheaper view and a clearly larger one; two if `current` is too small for `heights_px`."""
    place = views.index(current) if current in views else 0
    larger = [view for view in views if scale_of(view, size_px) >= REFERENCE * scale_of(current, size_px)]
    above = larger[:1] or list(views[place + 1 :][-1:])
    if heights_px and mean_recall(heights_px, scale_of(current, size_px)) < ENOUGH and larger:
        above += [view for view in (views[-1],) if view not in above]
    return (*views[max(place - 1, 0) : place], *above)


def _untried(
    current: View, views: Sequence[View], size_px: tuple[int, int], probes: Sequence[ProbeResult]
) -> tuple[View, ...]:
    """The next cheaper view with one to compare it with, if it was never probed and the recall model favours it."""
    cheaper = views[max(views.index(current) - 1, 0)] if current in views else current
    if cheaper == current or any(cheaper in probe.missed for probe in probes):
        return ()
    scale = scale_of(cheaper, size_px)
    if mean_recall([height for probe in probes for height, _ in probe.people], scale) < WORTH_A_TRY:
        return ()
    references = [view for view in views if scale_of(view, size_px) >= REFERENCE * scale and view != current]
    return (cheaper, *references[:1])


def _drifted(
    current: View,
    views: Sequence[View],
    size_px: tuple[int, int],
    probes: Sequence[ProbeResult],
    heights_px: Sequence[float],
) -> bool:
    """Whether the recall model differs between the people tracked now and those in the probes, for `current` or the
    view below it."""
    place = views.index(current) if current in views else 0
    before = [height for probe in probes for height, _ in probe.people]
    return any(
        abs(mean_recall(heights_px, scale_of(view, size_px)) - mean_recall(before, scale_of(view, size_px))) > DRIFTED
        for view in views[max(place - 1, 0) : place + 1]
    )


def cost_of(views: Iterable[View], size_px: tuple[int, int]) -> int:
    """Pixels of the network's input that all of the views take together."""
    return sum(cost_px(view, size_px) for view in views)
