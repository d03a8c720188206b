"""The similarity (shift, turn and scale) with which most of the points move from one picture to another. Pure.

After M. A. Fischler and R. C. Bolles, "Random sample consensus", Communications of the ACM 24(6), 1981. A similarity is
two complex numbers: a point z moves to `factor z + shift`. Pairs of points are drawn from a fixed table, so that the
result depends on nothing else than the points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray

Complex128Array = npt.NDArray[np.complex128]

HYPOTHESES = 64
"""Number of pairs that are tried. If a quarter of the points are on the background, about four pairs are."""
LEAST_BASE = 0.2
"""Two points give a hypothesis if their distance is at least this part of the largest: errors grow in close ones."""
TIGHT = 0.5
"""The final points agree within this part of the tolerance, so that people who move slowly do not bend the result."""
REFINEMENTS = 2
LEAST_ERROR_PX = 0.1
"""Least error of one point."""
SIGNIFICANT = 6.0
"""A turn and a zoom are accepted if they explain this many times as much as an error would, for each number."""

_table = np.random.default_rng(20_261_130).random((HYPOTHESES, 2))


@dataclass(frozen=True, slots=True)
class Similarity:
    """z moves to `factor z + shift`; `points` (N,) says which ones agree."""

    factor: complex
    shift: complex
    points: BoolArray


def fit_similarity(
    before: Complex128Array, after: Complex128Array, tolerance_px: float, *, still_bonus: float | None
) -> Similarity | None:
    """Return the similarity with which most points (N,) agree within `tolerance_px`; None for fewer than three points.

    That nothing moved wins against up to `still_bonus` times as many points that moved together: they may be a crowd or
    a truck. Without a bonus nothing else is considered than that nearly nothing moved. Of a pure shift, nothing else is
    returned.
    """
    if len(before) < 3:
        return None
    if still_bonus is None:
        agree: BoolArray = np.abs(after - before) <= tolerance_px
    else:
        agree = _consensus(before, after, tolerance_px, still_bonus)
    found = _least_squares(before, after, agree)
    for _ in range(REFINEMENTS):
        if found is None:
            return None
        misses = np.abs(found[0] * before + found[1] - after)
        closer: BoolArray = misses <= TIGHT * tolerance_px
        if np.count_nonzero(closer) < 3 or np.array_equal(closer, agree):
            break
        agree = closer
        found = _least_squares(before, after, agree)
    if found is None:
        return None
    return Similarity(*found, agree)


def _consensus(before: Complex128Array, after: Complex128Array, tolerance_px: float, still_bonus: float) -> BoolArray:
    """Return the points (N,) that agree with the best of all hypotheses."""
    count = len(before)
    first = (_table[:, 0] * count).astype(np.intp)
    second = (first + 1 + (_table[:, 1] * (count - 1)).astype(np.intp)) % count
    bases = before[second] - before[first]
    lengths = np.abs(bases)
    usable = lengths >= max(1.0, LEAST_BASE * lengths.max())
    first, second, bases = first[usable], second[usable], bases[usable]
    factors = np.concatenate(([1.0 + 0j], (after[second] - after[first]) / bases))
    shifts = np.concatenate(([0j], after[first] - factors[1:] * before[first]))
    misses = np.abs(factors[:, None] * before + (shifts[:, None] - after))
    # A point votes for the hypotheses that are near it, and most for those that fit exactly: the background does.
    votes = np.maximum(0.0, 1.0 - (misses / tolerance_px) ** 2).sum(axis=1)
    votes[0] *= still_bonus
    agree: BoolArray = misses[int(np.argmax(votes))] <= tolerance_px
    return agree


def _least_squares(
    before: Complex128Array, after: Complex128Array, points: BoolArray
) -> tuple[complex, complex] | None:
    """Return factor and shift; the factor is 1 unless the points show clearly that it is not."""
    count = int(np.count_nonzero(points))
    if count < 3:
        return None
    z, w = before[points], after[points]
    middle_z, middle_w = z.mean(), w.mean()
    centred_z, centred_w = z - middle_z, w - middle_w
    spread = float(np.vdot(centred_z, centred_z).real)
    shift_only = centred_w - centred_z
    rest_px2 = float(np.vdot(shift_only, shift_only).real)
    if spread > 0.0:
        factor = complex(np.vdot(centred_z, centred_w) / spread)
        turned = centred_w - factor * centred_z
        left_px2 = float(np.vdot(turned, turned).real)
        error_px2 = max(LEAST_ERROR_PX**2, left_px2 / (count - 2))
        if rest_px2 - left_px2 > SIGNIFICANT * error_px2:
            return factor, complex(middle_w - factor * middle_z)
    return 1.0 + 0j, complex(middle_w - middle_z)
