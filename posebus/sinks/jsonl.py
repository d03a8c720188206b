"""The sink `jsonl`: messages in their public JSON form, one a line, at the end of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posebus.contract.public_json import dump
from posebus.errors import ConfigError, OutputError
from posebus.sinks.base import SinkSpec
from posebus.subscribing.subscription import Message, message_to_json


class JsonLines:
    """Appends to a file. A line that was written twice is of a message that came twice."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.expanduser().open("a", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the sink jsonl cannot write {path}: {error.strerror}") from error

    def write(self, message: Message) -> None:
        """Write one line, and hand it to the system before the message counts as handled."""
        content = message_to_json(message)
        if content is not None:
            self._file.write(dump(content) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_jsonl(options: Mapping[str, Any]) -> JsonLines:
    """Open the file of the option `path`. Raises ConfigError for other options, and OutputError."""
    if set(options) != {"path"}:
        raise ConfigError("the sink jsonl takes one option, path: the file to which it appends")
    return JsonLines(Path(str(options["path"])))


SPEC = SinkSpec("jsonl", open_jsonl)
