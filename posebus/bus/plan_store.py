"""The plan of a camera in the broker: written with its tracks, read by its ingest process and by `explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.contract.plan import (
    Decision,
    Plan,
    decisions_from_text,
    decisions_to_text,
    plan_from_text,
    plan_to_text,
)
from posebus.errors import MalformedMessage

NOW, DECISIONS = "now", "decisions"
"""Fields of the hash."""


def queue_plan(pipeline: Any, key: str, plan: Plan, decisions: Sequence[Decision] | None) -> None:
    """Queue the write; `decisions` are the newest ones, None if no decision was added."""
    fields: dict[Any, Any] = {NOW: plan_to_text(plan)}
    if decisions is not None:
        fields[DECISIONS] = decisions_to_text(decisions)
    pipeline.hset(key, mapping=fields)


def read_plan(broker: Broker, camera: str) -> Plan | None:
    """The present plan; None if there is none, or if it cannot be decoded (its tracker will write another)."""
    with broker.errors():
        return plan_of(broker.client.hget(broker.topology.plan(camera), NOW))


def plan_of(text: Any) -> Plan | None:
    """The plan in the value of the field NOW."""
    try:
        return None if text is None else plan_from_text(text)
    except MalformedMessage:
        return None


def read_decisions(broker: Broker, camera: str) -> tuple[Plan | None, tuple[Decision, ...]]:
    """The plan and the newest decisions, oldest first. Raises MalformedMessage."""
    with broker.errors():
        now, decisions = cast("list[Any]", broker.client.hmget(broker.topology.plan(camera), [NOW, DECISIONS]))
    return plan_of(now), () if decisions is None else decisions_from_text(decisions)
