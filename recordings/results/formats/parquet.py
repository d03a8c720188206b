"""NAME.tracks.parquet: the columns of the CSV file with their types, written in parts while the run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from posebus.errors import ConfigError, OutputError
from posebus.installed.extras import missing_package
from posebus.messages import TrackFrame
from posebus.tables.columns import FILE_COLUMNS
from posebus.tables.parquet_file import FORMAT_VERSION, METADATA_KEY
from posebus.tables.rows import RowBuilder
from recordings.results.files import partial, writing
from recordings.results.formats.writer import Message, Target, check_keypoints

if TYPE_CHECKING:
    from posebus.tables.rows import Columns

PART_ROWS = 2048
"""Rows whose JSON objects are kept before they become arrays."""
GROUP_ROWS = 32_768
"""Rows of a row group, which is what waits in memory: about 11 MB."""


def check_parquet() -> None:
    """Raise ConfigError if no Parquet can be written here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"--format parquet: {missing_package(error) or error}") from None


class ParquetTracks:
    """The writer of the format. Row groups are written as they fill; the file can be read once it is complete."""

    def __init__(self, target: Target) -> None:
        """Raises OutputError, as all methods do."""
        self._target = target
        self.path = target.folder / f"{target.name}.tracks.parquet"
        self._schema = _schema()
        self._size_px: tuple[int, int] | None = None
        self._open()

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Append a frame."""
        if self._size_px is None:
            self._size_px = frame.size_px
        check_keypoints(message, self.path)
        self._builder.add(message)
        if len(self._builder) >= PART_ROWS:
            self._take()

    def restart(self) -> None:
        """Delete all that was written so far."""
        self.close()
        self._open()

    def complete(self) -> None:
        """Write the last row group and the metadata, and give the file its final name."""
        with self._failing():
            self._writer.add_key_value_metadata({METADATA_KEY.decode(): json.dumps(self._facts())})
        self.close()
        with writing(self.path):
            partial(self.path).replace(self.path)

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name, and has the rows so far."""
        with self._failing():
            try:
                if self._writer.is_open:
                    self._take()
                    self._flush()
                self._writer.close()
            finally:
                self._sink.close()

    def _open(self) -> None:
        from pyarrow.parquet import ParquetWriter

        self._builder = RowBuilder()
        self._parts: list[Columns] = []
        self._rows = 0
        self._size_px = None
        with writing(self.path):
            self._sink = partial(self.path).open("wb")
        self._writer = ParquetWriter(self._sink, self._schema, compression="zstd", use_dictionary=["state"])

    def _take(self) -> None:
        columns = self._builder.take()
        self._parts.append(columns)
        self._rows += len(columns["frame"])
        if self._rows >= GROUP_ROWS:
            with self._failing():
                self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        from posebus.tables.rows import joined

        columns = joined(self._parts)
        self._parts, self._rows = [], 0
        if len(columns["frame"]):
            arrays = [pa.array(columns[one.name]).cast(self._schema.field(one.name).type) for one in FILE_COLUMNS]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=GROUP_ROWS)

    def _facts(self) -> dict[str, Any]:
        return {
            "schema_version": FORMAT_VERSION,
            "camera": self._target.name,
            "size_px": None if self._size_px is None else list(self._size_px),
            "settings": self._target.settings,
        }

    @contextmanager
    def _failing(self) -> Iterator[None]:
        from pyarrow import ArrowException

        with writing(self.path):
            try:
                yield
            except ArrowException as error:
                raise OutputError(f"{self.path} cannot be written: {str(error).splitlines()[0]}") from None


def _schema() -> Any:
    import pyarrow as pa

    kinds = {"text": pa.dictionary(pa.int8(), pa.string()), "bool": pa.bool_()}
    return pa.schema([pa.field(one.name, kinds.get(one.kind) or pa.type_for_alias(one.kind)) for one in FILE_COLUMNS])
