"""The rules about bodies, as rows of the table of all rules."""

from __future__ import annotations

from tracking.rules.base import RuleSpec
from tracking.rules.bodies.doing import Action, Crouch, HandsUp, Runs
from tracking.rules.bodies.fall import Fall

BODY_RULES = (
    RuleSpec("fall", Fall),
    RuleSpec("hands_up", HandsUp),
    RuleSpec("running", Runs),
    RuleSpec("crouch", Crouch),
    RuleSpec("action", Action),
)
