"""Reading what an explanation of a camera is made of."""

from __future__ import annotations

from typing import NamedTuple

from posebus.bus.plan_store import read_decisions
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.errors import ConfigError, MalformedMessage
from posebus.subscribing.lookup import newest_tracks
from posebus.telemetry.explanation import ExplanationInputs, unknown_camera
from posebus.telemetry.reports import process_reports


class InputsRead(NamedTuple):
    """What was read; `problem`: why plan and decisions could not be, None if they were."""

    inputs: ExplanationInputs
    problem: str | None


def read_inputs(broker: Broker, camera: str) -> InputsRead:
    """Read the state of a camera. Raises ConfigError if it is unknown, and the broker's errors."""
    registry = Registry(broker)
    records = {record.camera: record for record in registry.cameras()}
    if camera not in records:
        raise ConfigError(unknown_camera(camera, records, broker.where))
    problem = None
    try:
        plan, decisions = read_decisions(broker, camera)
    except MalformedMessage as error:
        plan, decisions, problem = None, (), str(error)
    reports, newest = process_reports(registry), newest_tracks(broker, camera)
    return InputsRead(ExplanationInputs(records[camera], plan, decisions, reports, newest, broker.now_ns()), problem)
