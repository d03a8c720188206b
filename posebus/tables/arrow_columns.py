"""Columns of tracks from an Arrow table, and as Arrow reads them from CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posebus.tables.columns import FILE_COLUMNS, SOURCE_COLUMNS, Array, TrackColumn
from posebus.tables.rows import Columns


def from_arrow(table: Any) -> Columns:
    """Return the columns of a `pyarrow.Table`: those that it lacks, and missing values, are as nothing is known."""
    found: Columns = {column.name: column.empty(table.num_rows) for column in SOURCE_COLUMNS}
    for column in FILE_COLUMNS:
        present = column.name in table.column_names
        found[column.name] = _array(table.column(column.name), column) if present else column.empty(table.num_rows)
    return found


def csv_by_arrow(path: Path) -> Any | None:
    """Return a CSV file as a `pyarrow.Table`; None without pyarrow, and for files that are not quite as expected.

    Arrow takes a tenth of the time of Python's csv module, which is for all other files and finds the line of an error.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        return None
    kinds = {column.name: "string" if column.kind == "text" else column.kind for column in FILE_COLUMNS}
    options = csv.ConvertOptions(
        column_types={name: pa.type_for_alias(kind) for name, kind in kinds.items()},
        null_values=[""],
        true_values=["true", "True", "1"],
        false_values=["false", "False", "0"],
    )
    try:
        table = csv.read_csv(path, convert_options=options)
    except pa.ArrowException:
        return None
    return table if len(set(table.column_names)) == table.num_columns else None


def _array(values: Any, column: TrackColumn) -> Array:
    if column.kind == "text":
        return _texts(values)
    if values.null_count:
        values = values.fill_null(column.missing)
    array: Array = values.to_numpy().astype(column.dtype, copy=False)
    return array


def _texts(values: Any) -> Array:
    encoded = values.combine_chunks()
    encoded = encoded if hasattr(encoded, "indices") else encoded.dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), ""], "U")
    indices: Array = encoded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return words[indices]
