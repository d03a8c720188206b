"""When a change has taken effect in a running deployment, and how that is said. Pure."""

from __future__ import annotations

from collections.abc import Callable

from posebus.control.messages import DeploymentStatus, RunningCamera
from posebus.telemetry.camera_state import SWITCHED_OFF, CameraState

Outcome = Callable[[DeploymentStatus], tuple[str, bool]]
"""Of a state: a sentence about the change, and whether it is the last one. `{after}` in it stands for the time."""

_DONE = {
    CameraState.ONLINE: "online",
    CameraState.ENDED: "played to its end",
    CameraState.STANDBY: "read by another ingest, this one stands by",
}


def camera_runs(name: str) -> Outcome:
    """The camera is in the settings, and is read unless something else stops it."""

    def outcome(status: DeploymentStatus) -> tuple[str, bool]:
        camera = _camera(status, name)
        if camera is None:
            return "not part of the running deployment", False
        if not camera.is_settled:
            return "starting", False
        if camera.state == CameraState.OFFLINE:
            return f"cannot connect: {camera.reason or 'no reason is known'}; it is tried again", True
        if camera.state == CameraState.GIVEN_UP:
            return f"given up: {camera.reason or 'the log of ingest says why'}", True
        if camera.state in SWITCHED_OFF:
            return f"not read now: {camera.reason or camera.state}", True
        done = _DONE.get(CameraState(camera.state)) if camera.state in set(CameraState) else None
        return (f"{done}{{after}}", True) if done else (camera.state, False)

    return outcome


def camera_paused(name: str) -> Outcome:
    """The camera is in the settings and no process reads it."""

    def outcome(status: DeploymentStatus) -> tuple[str, bool]:
        camera = _camera(status, name)
        if camera is None:
            return "not part of the running deployment", False
        is_done = camera.state in SWITCHED_OFF and camera.is_settled
        return ("paused{after}", True) if is_done else ("still being read", False)

    return outcome


def camera_removed(name: str) -> Outcome:
    """The camera is in the settings no more, and no process reads it."""

    def outcome(status: DeploymentStatus) -> tuple[str, bool]:
        is_done = _camera(status, name) is None and name not in status.leaving
        return ("removed{after}", True) if is_done else ("still being read", False)

    return outcome


def processes_run(kind: str, number: object) -> Outcome:
    """`number` processes of `kind` ("worker" or "tracker") are ready."""

    def outcome(status: DeploymentStatus) -> tuple[str, bool]:
        found = status.workers if kind == "worker" else status.trackers
        if found is None:
            return (
                f"'posebus {status.role}' starts none; start 'posebus {'work' if kind == 'worker' else 'track'}'",
                True,
            )
        ready, wanted = found
        if wanted != number:
            # Options of the command and its environment stay on top of the file.
            return f"stay at {wanted}, as 'posebus up' was started; change the running ones with --no-save", True
        if ready == wanted:
            return f"{ready} ready{{after}}", True
        return f"{ready} of {wanted} ready", False

    return outcome


def _camera(status: DeploymentStatus, name: str) -> RunningCamera | None:
    return next((camera for camera in status.cameras if camera.name == name), None)
