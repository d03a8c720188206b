"""`posebus dead` against real brokers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from posebus.bus.dead_letters import DeadLetters
from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.errors import BrokerUnavailable, ConfigError, OutputError
from posebus.messages import Delivery, Frame
from posebus_cli.observe.dead import drop, list_letters, retry, show
from tests.samples import PROVENANCE, frame, held_writer, pose_frame
from workers.job import dead_letter

Answer = Callable[[FrameEntry], PoseResult]


def put_aside(url: str, *cameras: str, **changes: object) -> list[str]:
    """Make a dead letter of each camera; returns their ids."""
    broker = open_broker(url)
    reader = FrameConsumer(broker, "worker-1", RetentionSettings(dead_entries=10))
    for number, camera in enumerate(cameras):
        writer = held_writer(broker, CameraRecord(camera, Delivery.LOSSLESS, "file"))
        writer.publish(frame(number, camera, **changes))
        (entry,) = reader.read([camera], 1, None)
        reader.commit([dead_letter(entry, "given up after 3 attempts")])
    return [letter.entry_id for letter in reversed(list(DeadLetters(broker).newest()))]


@contextmanager
def worker(url: str, camera: str, answer: Answer) -> Iterator[list[FrameEntry]]:
    """Run a worker that answers each entry with `answer`; yields the list of entries that it has read."""
    reader = FrameConsumer(open_broker(url), "worker-2", RetentionSettings(dead_entries=10))
    taken: list[FrameEntry] = []
    stopping = threading.Event()

    def work() -> None:
        while not stopping.is_set():
            for entry in reader.read([camera], 1, 50):
                taken.append(entry)
                reader.commit([answer(entry)])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield taken
    finally:
        stopping.set()
        thread.join()


def sees_two(entry: FrameEntry) -> PoseResult:
    assert isinstance(entry.body, Frame)
    return PoseResult(entry, pose_frame(entry.body.seq, entry.camera), PROVENANCE)


def test_list_has_the_newest_first_and_can_be_limited(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    list_letters(redis=real_url)
    assert capsys.readouterr().out.startswith("no dead letters at ")
    door, yard = put_aside(real_url, "door", "yard")
    list_letters(redis=real_url)
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["id", "camera", "frame"]
    assert [line.split()[:3] for line in lines] == [[yard, "yard", "1:1"], [door, "door", "1:0"]]
    assert lines[0].endswith("given up after 3 attempts")
    list_letters(redis=real_url, camera="door", as_json=True)
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["id"], only["camera"], only["seq"], only["by"]) == (door, "door", 0, "worker-1")
    list_letters(redis=real_url, limit=1)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_dead_letter_is_shown_with_its_picture(
    real_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (letter,) = put_aside(real_url, "door")
    show(letter, redis=real_url, out=tmp_path / "door.jpg")
    printed = capsys.readouterr().out
    assert "given up after 3 attempts" in printed
    assert "jpeg, 640x480, 1002 bytes" in printed
    assert (tmp_path / "door.jpg").read_bytes() == frame(0).data
    with pytest.raises(OutputError, match="cannot be written"):
        show(letter, redis=real_url, out=tmp_path / "nowhere" / "door.jpg")


def test_uncompressed_picture_is_written_as_a_portable_pixmap(real_url: str, tmp_path: Path) -> None:
    (letter,) = put_aside(real_url, "door", encoding="raw", data=bytes((255, 0, 1) * 4), image_size_px=(2, 2))
    show(letter, redis=real_url, out=tmp_path / "door.ppm")
    assert (tmp_path / "door.ppm").read_bytes() == b"P6 2 2 255\n" + bytes((1, 0, 255) * 4)


def test_retried_frame_is_a_suspect_and_its_people_are_reported(
    real_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (letter,) = put_aside(real_url, "door")
    with worker(real_url, "door", sees_two) as taken:
        retry([letter], redis=real_url, wait_s=10)
    assert capsys.readouterr().out == f"{letter} (door 1:0): processed, 2 people in it\n"
    (entry,) = taken
    assert entry.suspect
    assert isinstance(entry.body, Frame)
    assert entry.body.data == frame(0).data
    assert list(DeadLetters(open_broker(real_url)).newest()) == []


def test_retried_frame_that_fails_again_is_dead_lettered_again(
    real_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put_aside(real_url, "door")
    with (
        worker(real_url, "door", lambda entry: dead_letter(entry, "it is magenta")),
        pytest.raises(typer.Exit) as caught,
    ):
        retry(everything=True, redis=real_url, wait_s=10)
    assert caught.value.exit_code == 1
    assert "dead-lettered again: it is magenta" in capsys.readouterr().out
    (again,) = DeadLetters(open_broker(real_url)).newest()
    assert (again.reason, again.by) == ("it is magenta", "worker-2")
    assert b"suspect" not in again.fields


def test_retry_without_a_worker_reports_that_none_answered(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    put_aside(real_url, "door")
    with pytest.raises(typer.Exit):
        retry(everything=True, redis=real_url, wait_s=0.1)
    assert "no worker has answered within 0.1 s; the frame is still in the queue" in capsys.readouterr().out


def test_dead_letters_that_cannot_be_retried_stay(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    put_aside(real_url, "door", data=b"")
    put_aside(real_url, "yard")
    Registry(open_broker(real_url)).remove_camera("yard")
    with pytest.raises(typer.Exit):
        retry(everything=True, redis=real_url, wait_s=0.1)
    said = capsys.readouterr().err
    assert "no image that could be processed again" in said
    assert "the camera 'yard' no longer exists" in said
    assert len(list(DeadLetters(open_broker(real_url)).newest())) == 2


def test_drop_removes_one_dead_letter_or_all_of_a_camera(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    door, yard, hall = put_aside(real_url, "door", "yard", "hall")
    drop([yard], redis=real_url)
    drop(everything=True, camera="door", redis=real_url)
    assert capsys.readouterr().out == "1 dead letter dropped\n1 dead letter dropped\n"
    assert [letter.entry_id for letter in DeadLetters(open_broker(real_url)).newest()] == [hall]
    assert door != hall


@pytest.mark.parametrize("unknown", ["1-1", "-", "+", "nonsense", "1-1-1", ""])
def test_unknown_id_is_an_error_and_nothing_is_dropped(real_url: str, unknown: str) -> None:
    (letter,) = put_aside(real_url, "door")
    with pytest.raises(ConfigError, match="there is no dead letter"):
        drop([letter, unknown], redis=real_url)
    assert len(list(DeadLetters(open_broker(real_url)).newest())) == 1


def test_drop_and_retry_need_either_ids_or_all(real_url: str) -> None:
    with pytest.raises(ConfigError, match="give either ids"):
        drop(redis=real_url)
    with pytest.raises(ConfigError, match="give either ids"):
        retry(["1-1"], everything=True, redis=real_url)
    with pytest.raises(ConfigError, match="--camera can only be used with --all"):
        drop(["1-1"], camera="door", redis=real_url)


def test_unreachable_broker_is_an_error() -> None:
    with pytest.raises(BrokerUnavailable):
        list_letters(redis="redis://127.0.0.1:1")


def test_malformed_entry_can_be_shown(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    broker = open_broker(real_url)
    Registry(broker).add_camera(CameraRecord("door", Delivery.LOSSLESS, "file"))
    broker.client.xadd(broker.topology.frames("door"), {"hello": "world"})
    reader = FrameConsumer(broker, "worker-1", RetentionSettings(dead_entries=10))
    (entry,) = reader.read(["door"], 1, None)
    reader.commit([dead_letter(entry, "malformed")])
    time.sleep(0.01)
    (letter,) = DeadLetters(broker).newest()
    show(letter.entry_id, redis=real_url)
    assert "an entry with the fields hello" in capsys.readouterr().out
