"""Rules: events of what people do, from their tracks. Pure. Each kind is a row of a table; other packages add some.

rules = Rules({"gate": {"kind": "line", "points": [[100, 300], [500, 300]]}}, "yard", (640, 480))
events = rules.update(track_frame)
"""

from tracking.rules.base import Memory as Memory
from tracking.rules.base import Phase as Phase
from tracking.rules.base import Place as Place
from tracking.rules.base import Rule as Rule
from tracking.rules.base import RuleSpec as RuleSpec
from tracking.rules.base import Step as Step
from tracking.rules.engine import Rules as Rules
from tracking.rules.scene import Scene as Scene

__all__ = ["Memory", "Phase", "Place", "Rule", "RuleSpec", "Rules", "Scene", "Step"]
