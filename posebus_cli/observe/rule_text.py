"""What the events of rules say, as people write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from posebus.messages import EventType
from posebus.wording import counted

_WHY: Mapping[Any, str] = MappingProxyType(
    {
        "unseen": ", not seen any more",
        "cut": ", at a cut",
        "renamed": ", whose number is not used any more",
        "source ended": ", at the end of the source",
    }
)


def _says(text: str) -> Callable[[Mapping[str, Any]], str]:
    """Return the words of an event whose fields stand in `text`; `for` is how long it has been so."""

    def words(data: Mapping[str, Any]) -> str:
        seconds = data.get("duration_s")
        known = {
            **data,
            "person": f"person {data['track_id']}",
            "for": "" if seconds is None else f" for {seconds:.3g} s",
            "after": "" if seconds is None else f" after {seconds:.3g} s",
            "why": _WHY.get(data.get("reason"), ""),
            "inside": counted(int(data["people"]), "person") if "people" in data else "",
        }
        return f"{data['rule']}: {text.format_map(known)}"

    return words


def _crossed(data: Mapping[str, Any]) -> str:
    begin, _, end = str(data["direction"]).split("_")
    counts = data.get("counts", {})
    total = f" ({counts['a_to_b']} from a, {counts['b_to_a']} from b)" if counts else ""
    return f"{data['rule']}: person {data['track_id']} crossed from {begin} to {end}{total}"


RULE_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        EventType.LINE_CROSSED: _crossed,
        EventType.ZONE_ENTERED: _says("{person} entered"),
        EventType.ZONE_DWELLED: _says("{person} has stayed{for}"),
        EventType.ZONE_LEFT: _says("{person} left{after}{why}"),
        EventType.ZONE_OCCUPIED: _says("{inside} in the zone"),
        EventType.ZONE_CLEARED: _says("{inside} in the zone again{why}"),
        EventType.LOITER_DETECTED: _says("{person} loiters{for}"),
        EventType.LOITER_ENDED: _says("{person} does not loiter any more{why}"),
        EventType.CROWD_DETECTED: _says("a crowd of {inside}"),
        EventType.CROWD_ENDED: _says("no crowd any more, {inside}{why}"),
        EventType.PROXIMITY_DETECTED: _says("{person} and person {other_track_id} are close"),
        EventType.PROXIMITY_ENDED: _says("{person} and person {other_track_id} are apart{why}"),
        EventType.ABSENCE_DETECTED: _says("{inside} present, too few"),
        EventType.ABSENCE_ENDED: _says("{inside} present again{why}"),
        EventType.FALL_DETECTED: _says("{person} fell"),
        EventType.FALLEN_DETECTED: _says("{person} is still on the ground{after}"),
        EventType.FALL_ENDED: _says("{person} is not on the ground any more{why}"),
        EventType.HANDS_UP_DETECTED: _says("{person} holds the hands up"),
        EventType.HANDS_UP_ENDED: _says("{person} took the hands down{why}"),
        EventType.RUNNING_DETECTED: _says("{person} runs"),
        EventType.RUNNING_ENDED: _says("{person} does not run any more{why}"),
        EventType.CROUCH_DETECTED: _says("{person} crouches"),
        EventType.CROUCH_ENDED: _says("{person} does not crouch any more{why}"),
        EventType.ACTION_DETECTED: _says("{person}: {action}"),
        EventType.ACTION_ENDED: _says("{person}: no longer {action}{why}"),
    }
)
"""By the type of event; the functions raise KeyError for events of another version."""
