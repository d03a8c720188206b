"""Which cameras there are, and which processes, as everybody sees it in Redis."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.connection import Broker
from posebus.bus.group_reader import ensure_group
from posebus.messages import Delivery
from posebus.topology import TRACKERS_GROUP, WORKERS_GROUP

PROCESS_SILENT_S = 5.0
"""A process that has not reported for this long counts as gone."""


@dataclass(frozen=True, slots=True)
class CameraRecord:
    """What the registry knows of a camera. `source` is the kind of source, never its address."""

    camera: str
    delivery: Delivery
    source: str


def process_id(role: str) -> str:
    """A name for this process that no other process on any host has."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def largest_imgsz(reports: Iterable[Mapping[str, Any]]) -> int | None:
    """The largest inference size (pixels) in reports of workers, those still loading included; None without any."""
    sizes = [report.get("imgsz") for report in reports if report.get("role") == "worker"]
    return max((size for size in sizes if isinstance(size, int)), default=None)


def camera_value(record: CameraRecord) -> str:
    """`record` as it stands in the hash `cameras`."""
    return json.dumps({"delivery": record.delivery.value, "source": record.source})


class Registry:
    """Reads and writes the hashes `cameras` and `processes`; raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology

    def add_camera(self, record: CameraRecord) -> None:
        """Announce the camera and create its streams and groups; harmless if it is there already."""
        topology = self._topology
        with self._broker.errors():
            ensure_group(self._client, topology.frames(record.camera), WORKERS_GROUP)
            ensure_group(self._client, topology.poses(record.camera), TRACKERS_GROUP)
            self._client.hset(topology.cameras(topology.shard(record.camera)), record.camera, camera_value(record))

    def cameras(self) -> list[CameraRecord]:
        """All cameras of all shards, by name; entries that cannot be read are left out."""
        records = []
        for shard in range(self._topology.shards):
            for name, value in self._hash(self._topology.cameras(shard)).items():
                try:
                    data = json.loads(value)
                    records.append(CameraRecord(name.decode(), Delivery(data["delivery"]), str(data["source"])))
                except (ValueError, KeyError, TypeError):
                    continue
        return sorted(records, key=lambda record: record.camera)

    def remove_camera(self, camera: str) -> None:
        """Forget the camera and delete all its keys."""
        topology = self._topology
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hdel(topology.cameras(topology.shard(camera)), camera)
            pipeline.delete(*topology.of_camera(camera))
            pipeline.execute()

    def report(self, process: str, role: str, report: dict[str, Any]) -> None:
        """This process lives, and this is how it does."""
        # By the broker's clock, or hosts whose clocks disagree would take each other's processes for dead.
        value = {
            "role": role,
            "at_ns": self._broker.now_ns(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            **report,
        }
        with self._broker.errors():
            self._client.hset(self._topology.processes(), process, json.dumps(value))

    def retire(self, process: str) -> None:
        """This process leaves in order."""
        with self._broker.errors():
            self._client.hdel(self._topology.processes(), process)

    def processes(self) -> dict[str, dict[str, Any]]:
        """The last report of each process that is alive, by its id; forgets those silent for long."""
        now_ns = self._broker.now_ns()
        alive: dict[str, dict[str, Any]] = {}
        for name, value in self._hash(self._topology.processes()).items():
            try:
                report = json.loads(value)
                silent_s = (now_ns - int(report["at_ns"])) / 1e9
            except (ValueError, KeyError, TypeError):
                continue
            if silent_s <= PROCESS_SILENT_S:
                alive[name.decode()] = report
            elif silent_s > 20 * PROCESS_SILENT_S:
                self.retire(name.decode())
        return alive

    def _hash(self, key: str) -> dict[bytes, bytes]:
        with self._broker.errors():
            return cast("dict[bytes, bytes]", self._client.hgetall(key))
