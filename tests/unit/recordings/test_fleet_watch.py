"""Whether workers and trackers are running, according to the registry."""

from __future__ import annotations

import fakeredis
import pytest

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.errors import FatalError
from posebus.topology import Topology
from recordings.fleet_watch import FleetWatch, Workers, workers


@pytest.fixture
def registry() -> Registry:
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)))
    return Registry(Broker(client, Topology(), "redis://here"))


def report(registry: Registry, name: str, role: str, **values: object) -> None:
    registry.report(name, role, {"ready": True, **values})


def test_what_workers_agree_on_is_said_once(registry: Registry) -> None:
    assert workers(registry) == Workers()
    for name in ("one", "two"):
        report(registry, name, "worker", engine="openvino", precision="bf16", imgsz=640, device="cpu")
    report(registry, "loading", "worker", ready=False, engine="onnx")
    report(registry, "tracker", "tracker")
    found = workers(registry)
    assert (found.engine, found.precision, found.imgsz) == ("openvino", "bf16", 640)
    assert found.largest_imgsz == 640


def test_what_workers_differ_in_is_all_said(registry: Registry) -> None:
    report(registry, "one", "worker", engine="openvino", precision="bf16", imgsz=640, device="cpu")
    report(registry, "two", "worker", engine="torch", precision="fp16", imgsz=640, device="cuda:0")
    found = workers(registry)
    assert (found.engine, found.precision, found.imgsz) == ("openvino, torch", "bf16, fp16", 640)


def test_more_and_faster_workers_want_more_frames_and_larger_pictures_more_bytes(registry: Registry) -> None:
    nobody = workers(registry).backlog_bytes((640, 480))
    report(registry, "one", "worker", device="cpu")
    one = workers(registry).backlog_bytes((640, 480))
    report(registry, "two", "worker", device="cuda:0")
    both = workers(registry).backlog_bytes((640, 480))
    assert 1_000_000 < nobody == one < both
    assert workers(registry).backlog_bytes((1280, 960)) == 4 * both


def test_who_is_missing_is_told_when_the_patience_is_over(registry: Registry) -> None:
    watch = FleetWatch(registry, "redis://here", patience_s=5.0)
    report(registry, "one", "worker")
    watch(100.0)
    watch(104.0)
    with pytest.raises(FatalError, match=r"no tracker at redis://here answered for 5 s; start one with `posebus track"):
        watch(105.0)


def test_a_fleet_that_comes_back_in_time_is_forgiven(registry: Registry) -> None:
    watch = FleetWatch(registry, "redis://here", patience_s=5.0)
    watch(100.0)
    report(registry, "one", "worker")
    report(registry, "two", "tracker")
    watch(104.0)
    registry.retire("one")
    watch(106.0)
    watch(110.0)
    with pytest.raises(FatalError, match="no worker"):
        watch(111.0)


def test_waiting_ends_with_the_same_sentence(registry: Registry) -> None:
    with pytest.raises(FatalError, match="no worker and no tracker"):
        FleetWatch(registry, "redis://here", patience_s=0.0).wait()
    report(registry, "one", "worker")
    report(registry, "two", "tracker")
    FleetWatch(registry, "redis://here", patience_s=0.0).wait()
