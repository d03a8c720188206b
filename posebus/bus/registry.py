"""The registry of cameras and processes, which all processes share in Redis."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from posebus.bus.evidence.snapshots import delete_snapshots
from posebus.bus.former_keys import former_attempts
from posebus.bus.group_reader import ensure_group
from posebus.bus.redis.connection import Broker
from posebus.config.cameras.actions import OFF, checked_actions
from posebus.config.cameras.ground import GroundSettings, ground_from_json
from posebus.config.cameras.privacy import HEADS
from posebus.config.cameras.region import Region, region_from_json
from posebus.config.policies import DEFAULT, Policies, policies_from_json
from posebus.config.redaction import harmless
from posebus.config.settings import check_camera_name
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.errors import BrokerRefused, MalformedMessage
from posebus.messages import Delivery
from posebus.topology import TRACKERS_GROUP, WORKERS_GROUP

SOURCE_LENGTH = 40
EVENTS_AT_ONCE = 1000
MAX_RECORD_BYTES = 100_000
MAX_REPORT_BYTES = 4_000_000
"""A tracker of a thousand cameras reports less than 1 MB."""
MAX_NAME_BYTES = 100
MAX_PROBLEM = 150
MAX_PROBLEMS = 20
PROCESS_SILENT_S = 5.0
"""A process that has not reported for this long counts as gone."""
UNKNOWN_S = 2 * PROCESS_SILENT_S
"""Silence that is assumed for a process whose report has a useless date."""
FORGOTTEN_S = 7200.0
"""A report with a date so old is deleted as soon as it is read; clocks that jump are wrong by an hour or so."""


@dataclass(frozen=True, slots=True)
class CameraRecord:
    """One camera in the registry. `source` is the kind of source, never its address.

    evidence: whether it keeps pictures, so that its events refer to snapshots. privacy: the setting of
    the camera; whatever is not exactly `none` means that heads are blurred.
    """

    camera: str
    delivery: Delivery
    source: str
    policies: Policies = DEFAULT
    region: Region | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Rules by name, as plain values; the tracker checks them."""
    ground: GroundSettings | None = None
    evidence: bool = False
    privacy: str = HEADS
    actions: str = OFF


def process_id(role: str) -> str:
    """A name for this process that no other process on any host has."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def _process_name(raw: bytes) -> str:
    if len(raw) > 2 * MAX_NAME_BYTES:
        raise ValueError("its name is too long")
    name = raw.decode()
    if not name.isprintable():
        raise ValueError("its name has characters that cannot be shown")
    return name


def camera_value(record: CameraRecord) -> str:
    """`record` as a value of the hash `cameras`."""
    value: dict[str, Any] = {"delivery": record.delivery.value, "source": record.source}
    if record.policies != DEFAULT:
        value["policies"] = record.policies.to_json()
    if record.region is not None:
        value["region"] = record.region
    if record.rules:
        value["rules"] = record.rules
    if record.actions != OFF:
        value["actions"] = record.actions
    if record.ground is not None:
        value["ground"] = record.ground.model_dump(mode="json")
    if record.evidence:
        value["evidence"] = True
    if record.privacy != HEADS:
        value["privacy"] = record.privacy
    return json.dumps(value)


def read_record(camera: str, value: bytes) -> CameraRecord:
    """The record in a value of `camera_value`. Raises MalformedMessage."""
    data = load_object(value, "its record", MAX_RECORD_BYTES)
    try:
        policies = policies_from_json(data["policies"]) if "policies" in data else DEFAULT
        source = harmless(str(data["source"]), SOURCE_LENGTH)
        region, rules = region_from_json(data.get("region")), data.get("rules", {})
        if not isinstance(rules, dict):
            raise ValueError("its rules are no object")
        return CameraRecord(
            camera,
            Delivery(data["delivery"]),
            source,
            policies,
            region,
            rules,
            ground_from_json(data.get("ground")),
            evidence=data.get("evidence") is True,
            privacy=data.get("privacy", HEADS),
            actions=checked_actions(str(data.get("actions", OFF))),
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"its record cannot be read: {type(error).__name__} {str(error)[:100]}") from None


def _names(report: bytes, camera: str) -> bool:
    """Whether a process reported about `camera`."""
    return json.dumps(camera).encode() in report


class Silences:
    """How long processes have been silent, by the monotonic clock of this process once it watches them. Pure.

    Reports are dated by the broker's wall clock, which may jump: by their dates alone, all processes would then seem
    dead, or dead ones alive.
    """

    def __init__(self) -> None:
        self._reports: dict[str, tuple[int, float]] = {}  # by process: date of its report, when it changed (monotonic)
        self._updated_at_s = float("-inf")

    def update(self, dates_ns: Mapping[str, int], now_ns: int, now_s: float) -> list[tuple[str, float]]:
        """(process, seconds of silence) for reports of `dates_ns`; `now_ns` by the broker's clock, `now_s` monotonic.

        For a process that is new, or after a long time without a call, the date of its report counts. A report from the
        future was written before the clock went back, and its process has to report once more.
        """
        watched = now_s - self._updated_at_s <= PROCESS_SILENT_S
        before, self._reports = self._reports, {}
        for name, date_ns in dates_ns.items():
            known = before.get(name)
            if known is not None and known[0] == date_ns:
                changed_at_s = known[1]
            elif known is not None and watched:
                changed_at_s = now_s
            else:
                silent_s = (now_ns - date_ns) / 1e9
                # Before its report is deleted it must stay silent by our own clock, too.
                changed_at_s = now_s - (max(0.0, silent_s) if -1.0 <= silent_s <= PROCESS_SILENT_S else UNKNOWN_S)
            self._reports[name] = (date_ns, changed_at_s)
        self._updated_at_s = now_s
        return [(name, now_s - changed_at_s) for name, (_, changed_at_s) in self._reports.items()]


class Registry:
    """Reads and writes the hashes `cameras` and `processes`; raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._silences = Silences()
        self._problems: dict[str, str] = {}
        self._tidied = False

    def add_camera(self, record: CameraRecord) -> None:
        """Register the camera and create its streams and groups; harmless if it is registered already."""
        topology = self._topology
        with self._broker.errors():
            ensure_group(self._client, topology.frames(record.camera), WORKERS_GROUP)
            ensure_group(self._client, topology.poses(record.camera), TRACKERS_GROUP)
            self._client.hset(topology.cameras(topology.shard(record.camera)), record.camera, camera_value(record))

    def cameras(self) -> list[CameraRecord]:
        """All cameras of all shards, by name; entries that cannot be decoded are left out."""
        records = []
        for shard in range(self._topology.shards):
            for name, value in self._hash(self._topology.cameras(shard)).items():
                try:
                    records.append(read_record(check_camera_name(name.decode()), value))
                except (ValueError, MalformedMessage) as error:
                    self._note(f"camera {name[:MAX_NAME_BYTES]!r}", error)
        return sorted(records, key=lambda record: record.camera)

    def was_seen(self, camera: str) -> bool:
        """Whether the camera has delivered a picture since it was added, in this run or an earlier one."""
        with self._broker.errors():
            return bool(self._client.exists(self._topology.epoch(camera)))

    def camera(self, camera: str) -> CameraRecord | None:
        """The record of one camera; None if it is not registered, or its record cannot be read."""
        with self._broker.errors():
            value = self._client.hget(self._topology.cameras(self._topology.shard(camera)), camera)
        try:
            return None if value is None else read_record(camera, cast("bytes", value))
        except MalformedMessage:
            return None

    def withdraw_camera(self, camera: str) -> None:
        """Take the camera off the list of cameras, and keep its keys: it may come back with the same identities."""
        with self._broker.errors():
            self._client.hdel(self._topology.cameras(self._topology.shard(camera)), camera)

    def remove_camera(self, camera: str) -> bool:
        """Remove the camera and delete all its keys; returns whether there was any of it."""
        topology = self._topology
        delete_snapshots(self._broker, camera)
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hdel(topology.cameras(topology.shard(camera)), camera)
            pipeline.delete(*topology.of_camera(camera), former_attempts(topology, camera))
            return any(pipeline.execute())

    def remove_traces(self, camera: str) -> None:
        """Remove a camera that no process has any more from what cameras share: events, and reports of dead processes.

        Dead letters are not removed; see `DeadLetters`.
        """
        events = self._topology.events(self._topology.shard(camera))
        alive = self.processes()
        silent = [name for name, report in self._hash(self._topology.processes()).items() if _names(report, camera)]
        with self._broker.errors():
            for process in silent:
                if process.decode(errors="replace") not in alive:
                    self._client.hdel(self._topology.processes(), cast(Any, process))
            first = "-"
            while page := cast("list[Any]", self._client.xrange(events, first, "+", count=EVENTS_AT_ONCE)):
                found = [entry_id for entry_id, fields in page if fields.get(b"camera") == camera.encode()]
                if found:
                    self._client.xdel(events, *found)
                first = f"({page[-1][0].decode()}"

    def report(self, process: str, role: str, report: dict[str, Any]) -> None:
        """Write the report of this process, as JSON values, with its role, host, pid and the time."""
        # By the broker's clock: otherwise hosts whose clocks disagree would take each other's processes for dead.
        value = {
            "role": role,
            "at_ns": self._broker.now_ns(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            **report,
        }
        with self._broker.errors():
            self._client.hset(self._topology.processes(), process, json.dumps(value))
        if not self._tidied:
            # Once for each process, so that one that crashes again and again does not fill a hash that is never read.
            self.processes()
            self._tidied = True

    def retire(self, process: str) -> None:
        """Delete the report of a process that ends in order."""
        with self._broker.errors():
            self._client.hdel(self._topology.processes(), process)

    def processes(self) -> dict[str, dict[str, Any]]:
        """The last report of each living process by its id, as JSON values; deletes those of processes long silent."""
        now_ns, now_s = self._broker.now_ns(), time.monotonic()
        reports: dict[str, dict[str, Any]] = {}
        dates_ns: dict[str, int] = {}
        for name, value in self._hash(self._topology.processes()).items():
            try:
                process, report = _process_name(name), load_object(value, "its report", MAX_REPORT_BYTES)
                dates_ns[process] = whole(report.get("at_ns"))
            except (ValueError, TypeError, MalformedMessage) as error:
                self._note(f"process {name[:MAX_NAME_BYTES]!r}", error)
                continue
            reports[process] = report
        alive = {}
        for process, silent_s in self._silences.update(dates_ns, now_ns, now_s):
            if silent_s <= PROCESS_SILENT_S:
                alive[process] = reports[process]
            elif silent_s > 20 * PROCESS_SILENT_S or now_ns - dates_ns[process] > FORGOTTEN_S * 1e9:
                with contextlib.suppress(BrokerRefused):  # a user without the right to delete leaves it to others
                    self.retire(process)
        return alive

    def take_problems(self) -> list[str]:
        """A sentence for each entry that could not be read since the last call, at most MAX_PROBLEMS of them."""
        problems, self._problems = self._problems, {}
        return [f"{subject} in the broker is left out: {problem}" for subject, problem in problems.items()]

    def _note(self, subject: str, error: Exception) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems[subject] = harmless(str(error), MAX_PROBLEM)

    def _hash(self, key: str) -> dict[bytes, bytes]:
        with self._broker.errors():
            return cast("dict[bytes, bytes]", self._client.hgetall(key))
