"""What is asked and answered at the control socket: one line of JSON each. Nothing in it is a secret. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posebus.config.redaction import harmless
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.errors import MalformedMessage

MAX_REQUEST_BYTES = 200_000
MAX_ANSWER_BYTES = 8_000_000
"""Room for the state of several thousand cameras."""
MOST_VALUES = 10_000
MAX_TEXT = 2000
STARTING = "starting"
"""The state of a camera beside those of `CameraState`: no process has reported about it yet."""


@dataclass(frozen=True, slots=True)
class RunningCamera:
    """One camera of a running deployment.

    source: without credentials. state: a `CameraState`, or STARTING. reason: why it is not online. max_fps, fps: wanted
    and published frames a second. is_settled: whether `state` is that of the newest settings, not of a process that
    still has to end.
    """

    name: str
    source: str
    state: str
    reason: str | None = None
    max_fps: float | None = None
    fps: float | None = None
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """A running deployment, `role` "up" or "ingest".

    settings_file: absolute, None if it was started without one. revision: how often the settings have been read since
    the start. problem: why the file as it is now is not in force. restart_for: fields that changed in the file and need
    a restart. leaving: removed cameras that are still being read. workers, trackers: (ready, wanted) processes of this
    deployment; None if it starts none. redis: the address of its broker, without credentials.
    """

    role: str
    pid: int
    settings_file: str | None
    revision: int
    redis: str
    problem: str | None = None
    restart_for: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    workers: tuple[int, int] | None = None
    trackers: tuple[int, int] | None = None
    cameras: tuple[RunningCamera, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """kind: "status", "reload" or "override". values: of an override, by dotted field; None withdraws one."""

    kind: str
    values: Mapping[str, Any] | None = None


KINDS = ("status", "reload", "override")


def request_line(request: ControlRequest) -> bytes:
    """`request` as it is sent."""
    whole_request = {"ask": request.kind} if request.values is None else {"ask": request.kind, "set": request.values}
    return json.dumps(whole_request).encode() + b"\n"


def read_request(line: bytes) -> ControlRequest:
    """The request in a line. Raises MalformedMessage with a sentence for its sender."""
    data = load_object(line, "the request", MAX_REQUEST_BYTES)
    kind = data.get("ask")
    if kind not in KINDS:
        raise MalformedMessage(f'the request must have "ask": one of {", ".join(KINDS)}')
    if kind != "override":
        return ControlRequest(kind)
    values = data.get("set")
    if not isinstance(values, dict) or not 0 < len(values) <= MOST_VALUES:
        raise MalformedMessage('the request must have "set": values by the dotted name of their field')
    return ControlRequest(kind, values)


def answer_line(answer: DeploymentStatus | str) -> bytes:
    """The answer to a request: the state after it, or a sentence about what is wrong with it."""
    if isinstance(answer, str):
        return json.dumps({"error": harmless(answer, MAX_TEXT)}).encode() + b"\n"
    return json.dumps(asdict(answer)).encode() + b"\n"


def read_answer(line: bytes) -> DeploymentStatus | str:
    """The inverse of `answer_line`. Raises MalformedMessage."""
    data = load_object(line, "the answer of the deployment", MAX_ANSWER_BYTES)
    try:
        if "error" in data:
            return harmless(str(data["error"]), MAX_TEXT)
        return DeploymentStatus(
            role=str(data["role"]),
            pid=whole(data["pid"]),
            settings_file=None if data["settings_file"] is None else str(data["settings_file"]),
            revision=whole(data["revision"]),
            redis=harmless(str(data["redis"])),
            problem=_text(data["problem"]),
            restart_for=tuple(harmless(str(one)) for one in data["restart_for"]),
            leaving=tuple(harmless(str(one)) for one in data["leaving"]),
            workers=_pair(data["workers"]),
            trackers=_pair(data["trackers"]),
            cameras=tuple(map(_camera, data["cameras"])),
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"the answer of the deployment cannot be read: {type(error).__name__}") from None


def _camera(data: Mapping[str, Any]) -> RunningCamera:
    max_fps, fps = (None if data[name] is None else float(data[name]) for name in ("max_fps", "fps"))
    return RunningCamera(
        name=harmless(str(data["name"])),
        source=harmless(str(data["source"])),
        state=harmless(str(data["state"])),
        reason=_text(data["reason"]),
        max_fps=max_fps,
        fps=fps,
        is_settled=bool(data["is_settled"]),
    )


def _text(value: object) -> str | None:
    return None if value is None else harmless(str(value), MAX_TEXT)


def _pair(value: Any) -> tuple[int, int] | None:
    return None if value is None else (whole(value[0]), whole(value[1]))
