"""When a deployment is ready, and what the pages for orchestrators answer."""

from __future__ import annotations

import json
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from posebus.bus.registry import CameraRecord
from posebus.endpoints.pages import with_health_pages
from posebus.endpoints.readiness import Readiness, readiness
from posebus.messages import Delivery
from posebus.telemetry.overview import DeploymentState
from posebus.telemetry.process_report import EVIDENCE, INGEST, SINK, TRACKER, WORKER, CaptureReport, ProcessReport

READY = Readiness()
CAMERAS = [CameraRecord(name, Delivery.LIVE, "network") for name in ("door", "gate", "yard")]
CAPTURES = {"door": CaptureReport(state="online"), "yard": CaptureReport(state="\x1b[2Jrtsp://u:secret@h")}


KEEPING = [CameraRecord(name, Delivery.LIVE, "network", evidence=True) for name in ("hall", "till")]
WORKING = ProcessReport(WORKER), ProcessReport(TRACKER)


def of(*processes: ProcessReport, keeping: int = 0) -> Readiness:
    cameras = [*CAMERAS, *KEEPING[:keeping]]
    return readiness(DeploymentState(cameras, {f"p{number}": one for number, one in enumerate(processes)}))


def test_a_deployment_with_a_worker_and_a_tracker_is_ready() -> None:
    found = of(ProcessReport(WORKER), ProcessReport(WORKER, ready=False), ProcessReport(TRACKER))
    assert found.ready
    assert found.processes == {"ingest": 0, "worker": 1, "tracker": 1, "evidence": 0, "sink": 0}


@pytest.mark.parametrize(
    ("processes", "reasons"),
    [
        ((), ("no worker runs", "no tracker runs")),
        ((ProcessReport(TRACKER), ProcessReport("other")), ("no worker runs",)),
        ((ProcessReport(TRACKER), ProcessReport(WORKER, ready=False)), ("no worker is ready yet: 1 still starting",)),
    ],
)
def test_what_is_missing_is_named(processes: tuple[ProcessReport, ...], reasons: tuple[str, ...]) -> None:
    found = of(*processes)
    assert not found.ready
    assert found.reasons == reasons


@pytest.mark.parametrize(
    ("keeping", "processes", "reasons"),
    [
        (0, (), ()),
        (1, (), ("no evidence process runs; hall keeps pictures for it",)),
        (2, (), ("no evidence process runs; hall and 1 more keep pictures for it",)),
        (
            1,
            (ProcessReport(EVIDENCE, ready=False),),
            ("no evidence process is ready yet: 1 still starting; hall keeps pictures for it",),
        ),
        (2, (ProcessReport(EVIDENCE),), ()),
    ],
)
def test_cameras_that_keep_pictures_need_the_process_that_makes_snapshots_of_them(
    keeping: int, processes: tuple[ProcessReport, ...], reasons: tuple[str, ...]
) -> None:
    assert of(*WORKING, *processes, keeping=keeping).reasons == reasons


def test_a_sink_is_counted_and_never_needed() -> None:
    """What is delivered later is not lost, and tracks do not wait for it."""
    assert of(*WORKING, ProcessReport(SINK), ProcessReport(SINK, ready=False)).processes["sink"] == 1
    assert of(*WORKING, ProcessReport(SINK, ready=False)).ready


def test_cameras_are_counted_by_known_states_alone() -> None:
    assert of(ProcessReport(INGEST, captures=CAPTURES)).cameras == {"no ingest": 1, "online": 1, "other": 1}


def ask(path: str, method: str = "GET", problem: str | None = None, ready: Readiness = READY) -> tuple[str, Any]:
    """(status, JSON or text) of the application's answer; wsgiref checks that it follows the standard."""
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": "", "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    answers: list[str] = []

    def others(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"others"]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        answers.append(status)

    result = validator(with_health_pages(others, lambda: problem, lambda: ready))(environ, start_response)
    body = b"".join(result).decode()
    result.close()  # type: ignore[attr-defined]
    return answers[0], json.loads(body) if body.startswith("{") else body


def test_healthz_is_about_the_process() -> None:
    assert ask("/healthz", ready=Readiness(("no worker runs",))) == ("200 OK", {"ready": True, "reasons": []})
    status, found = ask("/healthz", problem="its loop hangs")
    assert status == "503 Service Unavailable"
    assert found == {"ready": False, "reasons": ["its loop hangs"]}


def test_readyz_is_about_the_deployment() -> None:
    ready = Readiness(("no worker runs",), {"worker": 0}, {"online": 2})
    status, found = ask("/readyz", ready=ready)
    assert status == "503 Service Unavailable"
    assert found == {
        "ready": False,
        "reasons": ["no worker runs"],
        "processes": {"worker": 0},
        "cameras": {"online": 2},
    }
    assert ask("/readyz", problem="its loop hangs")[0] == "200 OK"


def test_other_pages_and_methods() -> None:
    assert ask("/metrics") == ("200 OK", "others")
    assert ask("/readyz/x") == ("404 Not Found", "there are /metrics, /healthz and /readyz\n")
    assert ask("/readyz", method="HEAD") == ("200 OK", "")
    assert ask("/readyz", method="POST")[0] == "405 Method Not Allowed"
