"""The sink jsonl: rotation by size and time, a full disk, and a file that another program has moved."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from posebus.errors import ConfigError
from posebus.sinks.jsonl.rotation import period_of, rotated_files, rotated_name
from posebus.sinks.jsonl.sink import JsonLines, JsonLinesOptions, open_jsonl
from posebus.subscribing.subscription import Message, message_to_json
from tests.deliveries import event

DAY_S = 86_400.0
NOON_S = 1_764_000_000.0 - 1_764_000_000.0 % DAY_S + DAY_S / 2


def message(seq: int) -> Message:
    return Message("events", "door", event(seq), None, "stream", f"{seq}-0")


def seqs(*paths: Path) -> list[int]:
    return [json.loads(line)["data"]["seq"] for path in paths for line in path.read_text().splitlines()]


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


def opened(path: Path, clock: Clock | None = None, **options: Any) -> JsonLines:
    return JsonLines(JsonLinesOptions(path=path, **options), clock or Clock())


def test_a_file_that_would_be_too_large_is_rotated_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    (tmp_path / "events.notes.jsonl").write_text("of another program")
    size = len(json.dumps(message_to_json(message(10)), separators=(",", ":"))) + 1
    sink = opened(path, max_bytes=4 * size, keep=3)
    for seq in range(10, 31):
        sink.write(message(seq))
    sink.close()
    full = rotated_files(path)
    assert len(full) == 3
    assert seqs(*full, path) == list(range(18, 31)), "one after the other, none twice"
    assert all(one.stat().st_size <= 4 * size for one in full)
    assert (tmp_path / "events.notes.jsonl").exists()


def test_a_file_holds_one_day_also_across_a_restart(tmp_path: Path) -> None:
    path, clock = tmp_path / "events.jsonl", Clock()
    sink = opened(path, clock, every_s=DAY_S)
    sink.write(message(1))
    clock.now_s += DAY_S / 2 - 1
    sink.write(message(2))
    assert rotated_files(path) == []
    clock.now_s += 2
    sink.write(message(3))
    (first,) = rotated_files(path)
    assert (seqs(first), seqs(path)) == ([1, 2], [3])
    sink.close()
    # The day of a file that was there before is that of its last change: years ago.
    import os

    os.utime(path, (NOON_S - 30 * DAY_S, NOON_S - 30 * DAY_S))
    sink = opened(path, clock, every_s=DAY_S)
    sink.write(message(4))
    sink.close()
    assert [seqs(one) for one in [*rotated_files(path), path]] == [[1, 2], [3], [4]]


def test_names_of_full_files_are_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.b.jsonl"
    for _ in range(12):
        (tmp_path / rotated_name(path, NOON_S, rotated_files(path))).write_text("")
    (tmp_path / rotated_name(path, NOON_S - DAY_S, rotated_files(path))).write_text("")
    assert len(rotated_files(path)) == 13
    oldest, *_, newest = (one.name for one in rotated_files(path))
    assert oldest.startswith("a.b.20251123T")
    assert newest.endswith("-0012.jsonl")
    assert period_of(NOON_S, None) == 0


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Inside, no file of this process can grow beyond `size`, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_line_for_which_the_disk_has_no_room_is_taken_back_and_written_later(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = opened(path)
    sink.write(message(1))
    size = path.stat().st_size
    with largest_file(size + 50):
        for _ in range(2):
            with pytest.raises(OSError, match="too large"):
                sink.write(message(2))
            assert path.stat().st_size == size, "no half of a line"
    sink.write(message(2))
    sink.write(message(3))
    sink.close()
    assert seqs(path) == [1, 2, 3]


def test_a_file_that_was_moved_or_deleted_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = opened(path)
    sink.write(message(1))
    path.rename(tmp_path / "events.jsonl.1")
    sink.write(message(2))
    path.unlink()
    sink.write(message(3))
    sink.close()
    assert (seqs(tmp_path / "events.jsonl.1"), seqs(path)) == ([1], [3])


def test_a_line_within_which_a_process_was_killed_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"half":')
    sink = opened(path)
    sink.write(message(1))
    sink.close()
    first, second = path.read_text().splitlines()
    assert first == '{"half":'
    assert json.loads(second)["id"] == event(1).id


def test_a_folder_that_cannot_be_written_to_fails_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = opened(folder / "events.jsonl")
    sink.write(message(1))
    (folder / "events.jsonl").unlink()
    folder.rmdir()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            sink.write(message(2))
    folder.mkdir()
    sink.write(message(2))
    sink.close()
    assert seqs(folder / "events.jsonl") == [2]


@pytest.mark.parametrize(
    "options", [{"path": "x", "max_bytes": 10}, {"path": "x", "keep": 0}, {"path": "x", "every_s": 0}]
)
def test_wrong_options_are_sentences(options: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"the option (max_bytes|keep|every_s) of the sink jsonl is wrong: Input should"
    ):
        open_jsonl(options)
