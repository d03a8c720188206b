"""Log odds that two tracks were swapped, against that each kept its person."""

from __future__ import annotations

import math

from tracking import body_model as model
from tracking.compiled import compiled
from tracking.matching.colours import colour_log_odds, distance
from tracking.second_thoughts.doubts import TOGETHER, Witnesses


@compiled
def exchange_odds(
    witnesses: Witnesses, one: int, other: int, detected: tuple[bool, bool], doubts: model.SecondThoughts
) -> tuple[float, bool]:
    """Natural log odds of an exchange, and whether it may be made; NaN and False while too little was seen.

    The appearance of each track after the parting is compared with that of both before. That a track looks unlike
    itself is not enough, since light changes: it must also look like the other one did.

    Args:
        witnesses: the evidence on W tracks.
        one: row of the first.
        other: row of the second.
        detected: whether each is detected in this frame, so that more evidence will come.
        doubts: constants.
    """
    total, fits, supported = 0.0, True, False
    for side in range(2):
        mine, theirs = (one, other) if side == 0 else (other, one)
        if witnesses.apart_ns[mine] == TOGETHER or witnesses.seen_s[mine] < doubts.seen_s:
            if detected[side]:
                return math.nan, False
            continue
        if witnesses.known_s[theirs] > 0.0:
            alike = colour_log_odds(*distance(witnesses.after[mine], witnesses.before[theirs]))
            total += alike
            fits &= alike >= doubts.alike
            supported = True
        if witnesses.known_s[mine] > 0.0:
            total -= colour_log_odds(*distance(witnesses.after[mine], witnesses.before[mine]))
    if not supported:
        return math.nan, False
    return total, fits
