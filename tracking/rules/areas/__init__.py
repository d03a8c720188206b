"""Rules about places: zones, lines, loitering, crowds, people close to each other, and absence. Pure."""

from tracking.rules.areas.table import AREA_RULES as AREA_RULES

__all__ = ["AREA_RULES"]
