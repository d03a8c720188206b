"""How a new ingest process continues a camera."""

from __future__ import annotations

import pytest

from ingest.resuming import StartMode, choose_start
from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN, Checkpoint, read_checkpoint
from posebus.errors import MalformedMessage


def left(state: str = OPEN, run: str = "monday", source: str = "hall.mp4") -> Checkpoint:
    return Checkpoint(3, 70, 2_800_000_000, state, run, source, (70, 3), 640)


def decide(
    checkpoint: Checkpoint | None, *, live: bool = False, run: str = "monday", stood_by: bool = False
) -> StartMode:
    return choose_start(checkpoint, live=live, source="hall.mp4", run=run, stood_by=stood_by)


def test_an_unfinished_recording_is_resumed_in_any_deployment() -> None:
    assert decide(None) is StartMode.NEW_EPOCH
    assert decide(left()) is StartMode.RESUME
    assert decide(left(), run="tuesday") is StartMode.RESUME
    assert decide(left(source="yard.mp4")) is StartMode.NEW_EPOCH


def test_an_ended_recording_is_played_again_only_by_a_new_start_of_the_deployment() -> None:
    assert decide(left(ENDED)) is StartMode.ENDED
    assert decide(left(ENDED), run="tuesday", stood_by=True) is StartMode.ENDED
    assert decide(left(ENDED), run="tuesday") is StartMode.NEW_EPOCH
    assert decide(left(ENDED, source="yard.mp4")) is StartMode.NEW_EPOCH


def test_a_live_camera_starts_a_new_epoch_and_a_loss_is_announced() -> None:
    assert decide(left(OPEN), live=True) is StartMode.NEW_EPOCH_AFTER_LOSS
    assert decide(left(OFFLINE), live=True) is StartMode.NEW_EPOCH
    assert decide(None, live=True) is StartMode.NEW_EPOCH


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    for checkpoint in (left(), Checkpoint(1, 0, 0, OPEN, "", "")):
        fields = {name.encode(): str(value).encode() for name, value in checkpoint.to_fields().items()}
        assert read_checkpoint(fields) == checkpoint


@pytest.mark.parametrize(
    "change", [{b"state": b"asleep"}, {b"epoch": b""}, {b"place": b"1,x"}, {b"run": b"\xff"}, {b"seq": b"1.5"}]
)
def test_a_malformed_checkpoint_is_rejected(change: dict[bytes, bytes]) -> None:
    fields = {name.encode(): str(value).encode() for name, value in left().to_fields().items()}
    with pytest.raises(MalformedMessage):
        read_checkpoint({**fields, **change})
    del fields[next(iter(change))]
    with pytest.raises(MalformedMessage):
        read_checkpoint(fields)
