"""A table of tracks in memory: numpy arrays by column, which the usual libraries of data frames take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, UInt8Array
from posebus.tables.columns import BOX_COLUMNS, REPEATED_TEXTS, Array, keypoint_columns


class TrackTable(dict[str, Array]):
    """Tracks as columns: a dict of numpy arrays of the same length, one row for each track in each frame.

    The columns are `camera`, `epoch` and those of docs/results.md, from a folder also `recording`. Every library that
    takes a dict of arrays takes it: `pandas.DataFrame(table)`, `polars.DataFrame(table)`, `pyarrow.table(table)`. In
    the frames that the methods return, columns of few different texts are categories.

    `incomplete` has a sentence for each file of which only a part could be read, as its run was interrupted.
    """

    def __init__(self, columns: Mapping[str, Array], incomplete: Sequence[str] = ()) -> None:
        super().__init__(columns)
        self.incomplete = tuple(incomplete)

    @property
    def rows(self) -> int:
        """Number of rows; `len` is the number of columns, as of every dict."""
        return len(self["track_id"])

    @property
    def boxes_xyxy_px(self) -> Float32Array:
        """All boxes, (rows, 4) float32: left, top, right, bottom in pixels of the frame."""
        return np.stack([self[name] for name in BOX_COLUMNS], axis=1)

    @property
    def keypoints_px(self) -> Float32Array:
        """All keypoints, (rows, 17, 3) float32: x, y in pixels, confidence; not a number where there are none."""
        parts = [np.stack([self[name] for name in keypoint_columns(part)], axis=1) for part in _PARTS]
        return np.stack(parts, axis=2)

    @property
    def keypoint_visibility(self) -> UInt8Array:
        """All flags, (rows, 17) uint8: 0 unknown, 1 hidden, 2 visible."""
        return np.stack([self[name] for name in keypoint_columns("visibility")], axis=1)

    def where(self, mask: Array) -> TrackTable:
        """Return the rows for which `mask`, (rows,) of bool, is true."""
        return TrackTable({name: values[mask] for name, values in self.items()}, self.incomplete)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame`. Raises ImportError with a sentence if pandas is not installed."""
        pandas = _library("pandas")
        categories = {name: pandas.Categorical(self[name]) for name in REPEATED_TEXTS if name in self}
        return pandas.DataFrame({**self, **categories}, copy=False)

    def to_polars(self) -> Any:
        """Return a `polars.DataFrame`. Raises ImportError with a sentence if polars is not installed."""
        polars = _library("polars")
        texts = [name for name in REPEATED_TEXTS if name in self]
        return polars.DataFrame(dict(self)).with_columns(polars.col(texts).cast(polars.Categorical))

    def to_arrow(self) -> Any:
        """Return a `pyarrow.Table`. Raises ImportError with a sentence if pyarrow is not installed."""
        arrow = _library("pyarrow")
        arrays = {
            name: arrow.array(values).dictionary_encode() if name in REPEATED_TEXTS else arrow.array(values)
            for name, values in self.items()
        }
        return arrow.table(arrays)


_PARTS = ("x_px", "y_px", "confidence")


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"the package {name} is not installed here ({error}): run `pip install {name}`, or use the arrays of the "
            "table itself",
            name=name,
        ) from None
