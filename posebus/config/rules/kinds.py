"""The settings of each kind of rule that posebus has, and the table of the kinds.

A new kind is a model here with a row in KINDS, its logic in `tracking.rules`, and its events in
`posebus.contract.events.rule_events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from posebus.config.cameras.schedule import EXAMPLE, ScheduleField
from posebus.config.rules.shapes import AnywhereField, LineField, ZoneField
from posebus.config.worker_settings import Strict

KIND_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
Seconds = Annotated[float, Field(ge=0)]
LongerThan = Annotated[float, Field(gt=0)]
People = Annotated[int, Field(ge=1, le=1000)]


class RuleSettings(Strict):
    """What all rules have."""

    kind: Annotated[str, StringConstraints(pattern=KIND_PATTERN)] = Field(description="Kind of the rule")
    schedule: ScheduleField = Field(
        default=None,
        examples=[EXAMPLE],
        description="When the rule begins new events, in the form of a camera's schedule; null: always",
    )
    cooldown_s: Seconds = Field(default=0.0, description="After an event of the rule began, no other begins this long")


class InZoneRule(RuleSettings):
    """What rules have that hold in a zone, or in the whole picture."""

    points: AnywhereField = Field(default=None, description="Points of the zone; null: the whole picture")


class ZoneRule(RuleSettings):
    """People enter a zone, stay in it, and leave it; too many or too few of them are in it."""

    kind: Literal["zone"]
    points: ZoneField = Field(description="Corners of the zone, in the order in which you walk around it")
    dwell_s: LongerThan | None = Field(
        default=None, description="A person who stays longer has dwelled, once for each stay"
    )
    max_people: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="The zone is occupied while more people are in it"
    )
    min_people: People | None = Field(default=None, description="The zone is occupied too little with fewer people")

    @model_validator(mode="after")
    def _check_limits(self) -> ZoneRule:
        if self.min_people is not None and self.max_people is not None and self.min_people > self.max_people:
            raise ValueError("min_people must not be above max_people")
        return self


class LineRule(RuleSettings):
    """People cross a line, in a direction."""

    kind: Literal["line"]
    points: LineField = Field(description="The two ends of the line; side a is left of the way from the first one")
    settle_s: Seconds = Field(
        default=0.3, description="A person close to the line is on a side of it after this long there"
    )


class LoiterRule(InZoneRule):
    """A person stays about the same place."""

    kind: Literal["loiter"]
    after_s: LongerThan = Field(default=60.0, description="Seconds after which a person loiters")
    radius: LongerThan = Field(default=1.5, description="What counts as the same place, in body heights")


class CrowdRule(InZoneRule):
    """Many people are present."""

    kind: Literal["crowd"]
    people: People = Field(description="This many people or more are a crowd")
    for_s: Seconds = Field(default=2.0, description="Seconds that they have to be present")


class ProximityRule(InZoneRule):
    """Two people are close to each other."""

    kind: Literal["proximity"]
    body_heights: LongerThan = Field(default=0.5, description="Distance of their feet in body heights that is close")
    distance_m: LongerThan | None = Field(
        default=None, description="The same in metres, for cameras with a ground plane; null: body_heights counts"
    )
    for_s: Seconds = Field(default=2.0, description="Seconds that they have to be close")


class AbsenceRule(InZoneRule):
    """Too few people are where some have to be."""

    kind: Literal["absence"]
    people: People = Field(default=1, description="Number of people who have to be present")
    for_s: LongerThan = Field(default=30.0, description="Seconds with fewer people")


class FallRule(InZoneRule):
    """A person falls to the ground, and stays there."""

    kind: Literal["fall"]
    fallen_s: LongerThan | None = Field(
        default=10.0, description="A person still on the ground after this time is reported as fallen; null: never"
    )


class HandsUpRule(InZoneRule):
    """A person holds both hands above the head."""

    kind: Literal["hands_up"]
    for_s: Seconds = Field(default=1.0, description="Seconds that the hands have to be up")


class RunningRule(InZoneRule):
    """A person runs."""

    kind: Literal["running"]
    speed: LongerThan | None = Field(
        default=None, description="Least speed in body heights a second; null: faster than people walk"
    )
    speed_m_s: LongerThan | None = Field(
        default=None, description="Least speed in metres a second, for cameras with a ground plane; null: as by speed"
    )


class CrouchRule(InZoneRule):
    """A person crouches."""

    kind: Literal["crouch"]
    for_s: Seconds = Field(default=2.0, description="Seconds that the person has to crouch")


class ActionRule(InZoneRule):
    """A person does something that the classifier of actions has a name for."""

    kind: Literal["action"]
    labels: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        min_length=1, max_length=100, description="Names of the actions, such as Fallen or Running"
    )
    for_s: Seconds = Field(default=1.0, description="Seconds that the action has to last")


class PluginRule(RuleSettings):
    """A rule of another package, which checks its fields itself when the tracker opens it."""

    model_config = ConfigDict(extra="allow")


KINDS: Mapping[str, type[RuleSettings]] = MappingProxyType(
    {
        "zone": ZoneRule,
        "line": LineRule,
        "loiter": LoiterRule,
        "crowd": CrowdRule,
        "proximity": ProximityRule,
        "absence": AbsenceRule,
        "fall": FallRule,
        "hands_up": HandsUpRule,
        "running": RunningRule,
        "crouch": CrouchRule,
        "action": ActionRule,
    }
)
