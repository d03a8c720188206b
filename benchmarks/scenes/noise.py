"""Errors that last, because a network that errs in one frame errs in the same way in the next."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array


class LastingNoise:
    """Noise of mean 0 and deviation 1 for S places over T frames that are dt_s apart, as rows of T * S."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], dt_s: float) -> None:
        self._rng, self._shape, self._dt_s = rng, shape, dt_s

    def lasting(self, time_s: float, *more: int) -> Float64Array:
        """Noise (T * S, *more) that changes smoothly and is uncorrelated after about time_s.

        A second-order autoregression with a double root: unlike those of a first-order one, its differences from frame
        to frame stay small.
        """
        frames, places = self._shape
        kept = float(np.exp(-2 * self._dt_s / time_s))
        before = int(np.ceil(4 * time_s / self._dt_s))
        fresh = self._rng.normal(size=(before + frames, places, *more))
        fresh *= np.sqrt((1 - kept**2) ** 3 / (1 + kept**2))
        inner, outer = np.zeros(fresh.shape[1:]), np.zeros(fresh.shape[1:])
        for index, value in enumerate(fresh):
            inner = kept * inner + value
            outer = kept * outer + inner
            fresh[index] = outer
        return fresh[before:].reshape(-1, *more)

    def of_person(self, person: npt.NDArray[np.intp]) -> Float64Array:
        """Noise (T * S,) that is constant for each of the persons (T, S)."""
        return self._rng.normal(size=max(int(person.max()) + 1, 1))[person.ravel()]

    def jitter(self, *more: int) -> Float64Array:
        """Noise (T * S, *more) that is independent in every frame."""
        return self._rng.normal(size=(self._shape[0] * self._shape[1], *more))


def sigmoid(logit: Float64Array) -> Float64Array:
    """The logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))
