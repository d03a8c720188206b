"""Tracks from the Parquet files of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from posebus.contract.foreign_json import load_object
from posebus.errors import MalformedMessage
from posebus.installed.extras import missing_package
from posebus.tables.arrow_columns import from_arrow
from posebus.tables.columns import FILE_COLUMNS, NEEDED
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
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise MalformedMessage(f"{path} holds no tracks: it has no column {' and no '.join(missing)}")
    try:
        found = from_arrow(table)
    except (ArrowException, ValueError, TypeError, OverflowError) as error:
        raise MalformedMessage(f"{path} holds no tracks: a column has another type ({str(error)[:150]})") from None
    if camera is not None:
        found["camera"] = np.full(table.num_rows, camera)
    parts.append(found)


def _camera(metadata: dict[bytes, bytes], path: Path) -> str | None:
    if METADATA_KEY not in metadata:
        return None
    camera = load_object(metadata[METADATA_KEY], f"the metadata of {path}").get("camera")
    return camera if isinstance(camera, str) else None
