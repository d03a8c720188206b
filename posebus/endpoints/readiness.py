"""Whether a deployment can do its work, and why not. Pure, but for the reading of the reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from posebus.errors import PoseBusError
from posebus.telemetry.camera_state import NO_INGEST, CameraState
from posebus.telemetry.process_report import EVIDENCE, INGEST, SINK, TRACKER, WORKER
from posebus.telemetry.reports import capture_of

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.telemetry.overview import DeploymentState

NEEDED = (WORKER, TRACKER)
"""The roles without which no frame gets tracks. Cameras may all be away, or paused, in a deployment that is ready."""
COUNTED = (INGEST, WORKER, TRACKER, EVIDENCE, SINK)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reasons`: one sentence for each thing that is missing; none: ready. `processes`: those that are ready, by role.

    `cameras`: their number by state.
    """

    reasons: tuple[str, ...] = ()
    processes: Mapping[str, int] = field(default_factory=dict)
    cameras: Mapping[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return not self.reasons

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "ready": self.ready,
            "reasons": list(self.reasons),
            "processes": dict(self.processes),
            "cameras": dict(self.cameras),
        }


def readiness(state: DeploymentState) -> Readiness:
    """The readiness of a deployment whose broker answered."""
    processes = dict.fromkeys(COUNTED, 0)
    starting: Counter[str] = Counter()
    for report in state.processes.values():
        if report.role in processes:
            processes[report.role] += report.ready
            starting[report.role] += not report.ready
    states = (capture_of(state.processes, record.camera).state for record in state.cameras)
    known = {*map(str, CameraState), NO_INGEST}
    cameras = Counter(one if one in known else "other" for one in states)
    reasons = [_reason(role, starting[role]) for role in NEEDED if not processes[role]]
    keeping = [record.camera for record in state.cameras if record.evidence]
    if keeping and not processes[EVIDENCE]:
        # Their events refer to snapshots, and no process makes these.
        reasons.append(f"{_reason(f'{EVIDENCE} process', starting[EVIDENCE])}; {_keep_pictures(keeping)}")
    return Readiness(tuple(reasons), processes, dict(sorted(cameras.items())))


def read_readiness(broker: Broker) -> Readiness:
    """The readiness of the deployment of `broker`, now."""
    from posebus.telemetry.overview import read_deployment

    try:
        return readiness(read_deployment(broker))
    except PoseBusError:
        # Not the error's own sentence: the page is open to all who reach the port.
        return Readiness(("the broker does not answer, or refuses to",))


def _keep_pictures(cameras: Sequence[str]) -> str:
    others = f" and {len(cameras) - 1} more keep" if len(cameras) > 1 else " keeps"
    return f"{cameras[0]}{others} pictures for it"


def _reason(role: str, starting: int) -> str:
    return f"no {role} is ready yet: {starting} still starting" if starting else f"no {role} runs"
