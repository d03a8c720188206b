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

HYPOTHESES = 96
"""Pairs that are tried: with a quarter of the points on the background, five or six of them are."""
LEAST_BASE = 0.2
"""Two points give a hypothesis if their distance is at least this part of the largest: errors grow in close ones."""
REFINEMENTS = 3

_table = np.random.default_rng(20_261_130).random((HYPOTHESES, 2))


@dataclass(frozen=True, slots=True)
class Similarity:
    """z moves to `factor z + shift`; points (N,) says which ones agree."""

    factor: complex
    shift: complex
    points: BoolArray

    def moved(self, z: Complex128Array) -> Complex128Array:
        """Return where the points `z` (N,) move."""
        moved: Complex128Array = self.factor * z + self.shift
        return moved


def fit_similarity(
    before: Complex128Array, after: Complex128Array, tolerance_px: float, *, still_bonus: float
) -> Similarity | None:
    """Return the similarity with which most points (N,) agree within `tolerance_px`; None for fewer than three points.

    That nothing moved wins against up to `still_bonus` times as many points that moved together: they may be a crowd or
    a truck.
    """
    count = len(before)
    if count < 3:
        return None
    first = (_table[:, 0] * count).astype(np.intp)
    second = (first + 1 + (_table[:, 1] * (count - 1)).astype(np.intp)) % count
    bases = before[second] - before[first]
    lengths = np.abs(bases)
    usable = lengths >= LEAST_BASE * lengths.max()
    first, second, bases = first[usable], second[usable], bases[usable]
    factors = np.concatenate(([1.0 + 0j], (after[second] - after[first]) / bases))
    shifts = np.concatenate(([0j], after[first] - factors[1:] * before[first]))
    misses = np.abs(factors[:, None] * before + (shifts[:, None] - after))
    votes = np.count_nonzero(misses <= tolerance_px, axis=1).astype(np.float64)
    votes[0] *= still_bonus
    best = int(np.argmax(votes))
    agree: BoolArray = misses[best] <= tolerance_px
    found = Similarity(complex(factors[best]), complex(shifts[best]), agree)
    for _ in range(REFINEMENTS):
        refined = _least_squares(before, after, found.points)
        if refined is None:
            break
        agree = np.abs(refined[0] * before + refined[1] - after) <= tolerance_px
        if np.count_nonzero(agree) < np.count_nonzero(found.points):
            break
        found = Similarity(*refined, agree)
    return found


def _least_squares(
    before: Complex128Array, after: Complex128Array, points: BoolArray
) -> tuple[complex, complex] | None:
    if np.count_nonzero(points) < 2:
        return None
    z, w = before[points], after[points]
    middle_z, middle_w = z.mean(), w.mean()
    centred = z - middle_z
    spread = float(np.vdot(centred, centred).real)
    if spread <= 0.0:
        return None
    factor = complex(np.vdot(centred, w - middle_w) / spread)
    return factor, complex(middle_w - factor * middle_z)
