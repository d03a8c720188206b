"""The rules about places, as rows of the table of all rules."""

from __future__ import annotations

from tracking.rules.areas.line import CrossedLine
from tracking.rules.areas.loiter import Loiter
from tracking.rules.areas.numbers import Absence, Crowd
from tracking.rules.areas.proximity import Proximity
from tracking.rules.areas.zone import Zone
from tracking.rules.base import RuleSpec

AREA_RULES = (
    RuleSpec("zone", Zone),
    RuleSpec("line", CrossedLine),
    RuleSpec("loiter", Loiter),
    RuleSpec("crowd", Crowd),
    RuleSpec("proximity", Proximity),
    RuleSpec("absence", Absence),
)
