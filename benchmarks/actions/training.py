"""Training of the built-in classifier's network: Adam on cross entropy, in numpy, the same for the same seed.

D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015.
"""

from __future__ import annotations

import numpy as np

from benchmarks.actions.examples import LABELS, Examples
from posebus.arrays import Float64Array
from tracking.actions.builtin import Network

HIDDEN = 32
MEMBERS = 4
"""Networks that are trained apart, from other seeds, and averaged: they err in different places."""

STEPS = 8000
BATCH = 256
RATE = 3e-3
DECAY = 1e-4
EVENNESS = 0.6
"""1: every label counts alike in total; 0: as often as it comes."""

NOISE = 0.05
"""Deviation of the noise that is added to normalised features, so that single features do not decide alone."""

DECIMALS = 3
"""With which weights are stored."""


def trained(examples: Examples, weights: Float64Array, seed: int = 0) -> Network:
    """The network for `examples`, of which each counts as its weight (N,)."""
    mean, scale = examples.values.mean(axis=0), np.maximum(examples.values.std(axis=0), 0.05)
    mean, scale = np.round(mean, DECIMALS), np.round(scale, DECIMALS)
    values = (examples.values - mean) / scale
    classes = np.bincount(examples.labels, weights, len(LABELS))
    weights = weights / np.maximum(classes[examples.labels], 1e-9) ** EVENNESS
    ends = np.cumsum(weights / weights.sum())
    members = [
        _member(values, examples.labels, ends, np.random.default_rng([seed, member])) for member in range(MEMBERS)
    ]
    # The mean of the members' logits is that of one network with the hidden units of all of them.
    first, first_bias, second, second_bias = (list(one) for one in zip(*members, strict=True))
    merged = np.hstack(first), np.hstack(first_bias), np.vstack(second) / MEMBERS, np.mean(second_bias, axis=0)
    return Network(mean, scale, *(np.round(one, DECIMALS) for one in merged))


def _member(
    values: Float64Array, labels: np.ndarray, ends: Float64Array, rng: np.random.Generator
) -> list[Float64Array]:
    """The parameters of one network; `ends` (N,) are the sums of the chances of the examples up to each of them."""
    shapes = ((values.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, len(LABELS)), (len(LABELS),))
    parameters = [
        rng.normal(0, np.sqrt(2 / shape[0]), shape) if len(shape) == 2 else np.zeros(shape) for shape in shapes
    ]
    first, second = [np.zeros(shape) for shape in shapes], [np.zeros(shape) for shape in shapes]
    for step in range(1, STEPS + 1):
        rows = np.minimum(np.searchsorted(ends, rng.random(BATCH)), len(ends) - 1)
        batch = values[rows] + NOISE * rng.standard_normal((BATCH, values.shape[1]))
        slopes = _slopes(parameters, batch, labels[rows])
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for place, slope in enumerate(slopes):
            first[place] += 0.1 * (slope - first[place])
            second[place] += 0.001 * (slope * slope - second[place])
            towards = first[place] / (1 - 0.9**step) / (np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
            parameters[place] = parameters[place] - rate * (towards + DECAY * parameters[place])
    return parameters


def _slopes(parameters: list[Float64Array], values: Float64Array, labels: np.ndarray) -> list[Float64Array]:
    """The derivatives of the mean cross entropy by each of the parameters."""
    first, first_bias, second, second_bias = parameters
    hidden = np.maximum(values @ first + first_bias, 0.0)
    logits = hidden @ second + second_bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors = powers / powers.sum(axis=1, keepdims=True)
    errors[np.arange(len(labels)), labels] -= 1.0
    errors /= len(labels)
    back = (errors @ second.T) * (hidden > 0)
    return [values.T @ back, back.sum(axis=0), hidden.T @ errors, errors.sum(axis=0)]
