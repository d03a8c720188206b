"""The state of one camera, and the events that its changes publish."""

from __future__ import annotations

from ingest.camera_status import CameraStatus
from posebus.bus.checkpoint import OFFLINE, OPEN
from posebus.messages import EventType
from posebus.telemetry.camera_state import CameraState


class RecordingAnnouncer:
    """Stores events and checkpoint states in their order."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.reasons: list[object] = []

    def announce(self, kind: EventType, time_ns: int, **data: str | int | dict[str, int]) -> None:
        self.calls.append(kind)
        self.reasons.append(data.get("reason"))

    def set_state(self, state: str) -> None:
        self.calls.append(state)


def test_the_first_picture_is_announced_and_later_ones_are_not() -> None:
    announcer = RecordingAnnouncer()
    status = CameraStatus("door", announcer)
    assert status.state is CameraState.CONNECTING

    assert status.go_online(1_000)
    assert not status.go_online(2_000)

    assert status.state is CameraState.ONLINE
    assert announcer.calls == [OPEN, EventType.CAMERA_ONLINE]


def test_an_outage_is_announced_once_with_its_first_reason_and_keeps_the_last_trouble() -> None:
    announcer = RecordingAnnouncer()
    status = CameraStatus("door", announcer)
    status.go_online(1_000)

    assert status.go_offline("it closed the stream")
    assert not status.go_offline("it refuses the connection")

    assert announcer.calls[2:] == [OFFLINE, EventType.CAMERA_OFFLINE]
    assert announcer.reasons[-1] == "it closed the stream"
    assert status.trouble == "it refuses the connection"
    assert status.go_online(3_000)
    assert status.trouble is None


def test_standing_by_and_connecting_are_not_announced() -> None:
    announcer = RecordingAnnouncer()
    status = CameraStatus("door", announcer)
    status.trouble = "it refuses the connection"

    status.stand_by()
    assert (status.state, status.trouble) == (CameraState.STANDBY, None)
    status.connecting()
    assert status.state is CameraState.CONNECTING
    assert announcer.calls == []


def test_a_resumed_recording_is_online_only_if_a_frame_of_it_was_published() -> None:
    status = CameraStatus("door", RecordingAnnouncer())
    status.resumed(epoch=3, seq=0)
    assert status.state is CameraState.CONNECTING
    status.resumed(epoch=3, seq=7)
    assert status.state is CameraState.ONLINE


def test_an_announced_stop_leaves_the_state_as_it_is() -> None:
    announcer = RecordingAnnouncer()
    status = CameraStatus("door", announcer)
    status.go_online(1_000)
    status.announce_offline("ingest was stopped")
    assert status.state is CameraState.ONLINE
    assert announcer.calls[2:] == [OFFLINE, EventType.CAMERA_OFFLINE]
