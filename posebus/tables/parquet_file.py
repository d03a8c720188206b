"""Tracks from the Parquet files of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posebus.contract.foreign_json import load_object
from posebus.errors import MalformedMessage
from posebus.extras import missing_package
from posebus.tables.columns import FILE_COLUMNS, SOURCE_COLUMNS, Array, TrackColumn
from posebus.tables.rows import Columns

METADATA_KEY = b"posebus"
"""The file's metadata under this key is a JSON object: schema_version, camera, size_px, settings."""

FORMAT_VERSION = 1


def read_parquet(path: Path, parts: list[Columns]) -> None:
    """Append the tracks in `path` to `parts`. Raises MalformedMessage, OSError, and ImportError without pyarrow."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ImportError(f"{path} cannot be read: {missing_package(error) or error}", name="pyarrow") from None
    try:
        with ParquetFile(path) as file:
            table = file.read(columns=[column.name for column in FILE_COLUMNS])
            camera = _camera(file.metadata.metadata or {}, path)
    except ArrowException as error:
        raise MalformedMessage(
            f"{path} is no complete Parquet file: {str(error).splitlines()[0][:150]}; a Parquet file can be read only "
            "once its run has ended, and NAME.tracks.jsonl.partial before"
        ) from None
    missing = [name for name in ("frame", "track_id") if name not in table.column_names]
    if missing:
        raise MalformedMessage(f"{path} holds no tracks: it has no column {' and no '.join(missing)}")
    found: Columns = {column.name: column.empty(table.num_rows) for column in SOURCE_COLUMNS}
    if camera is not None:
        found["camera"] = np.full(table.num_rows, camera)
    for column in FILE_COLUMNS:
        present = column.name in table.column_names
        found[column.name] = _array(table, column) if present else column.empty(table.num_rows)
    parts.append(found)


def _array(table: Any, column: TrackColumn) -> Array:
    values = table.column(column.name)
    if column.kind == "text":
        texts = values.combine_chunks()
        if hasattr(texts, "indices") and texts.null_count == 0:
            words = np.array(texts.dictionary.to_pylist() or [""], "U")
            indices: Array = texts.indices.to_numpy(zero_copy_only=False)
            return words[indices]
        return np.array([text or "" for text in values.to_pylist()], "U")
    if values.null_count:
        values = values.fill_null(column.missing)
    array: Array = values.to_numpy().astype(column.dtype, copy=False)
    return array


def _camera(metadata: dict[bytes, bytes], path: Path) -> str | None:
    if METADATA_KEY not in metadata:
        return None
    camera = load_object(metadata[METADATA_KEY], f"the metadata of {path}").get("camera")
    return camera if isinstance(camera, str) else None
