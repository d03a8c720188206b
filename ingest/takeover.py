"""What a process does with a camera that it has just been given: begin, go on, or leave it. Pure."""

from __future__ import annotations

from enum import Enum

from posebus.bus.checkpoint import ENDED, OPEN, Checkpoint


class TakeOver(Enum):
    """BEGIN a new epoch; BEGIN_AFTER_LOSS: the same, and tell that the camera was offline; RESUME the recording behind
    the checkpoint; nothing, since it has ENDED."""

    BEGIN = "begin"
    BEGIN_AFTER_LOSS = "begin after loss"
    RESUME = "resume"
    ENDED = "ended"


def take_over(checkpoint: Checkpoint | None, *, live: bool, source: str, run: str, stood_by: bool) -> TakeOver:
    """By the checkpoint that was left of the camera.

    `source` and `run` are ours, as in a checkpoint. `stood_by`: another process captured the camera since we began.
    """
    if checkpoint is None:
        return TakeOver.BEGIN
    if live:
        return TakeOver.BEGIN_AFTER_LOSS if checkpoint.state == OPEN else TakeOver.BEGIN
    if checkpoint.source != source:
        return TakeOver.BEGIN
    if checkpoint.state != ENDED:
        return TakeOver.RESUME
    # Whoever starts a deployment anew wants the recording played again; not so a process that was restarted after its
    # end, and one that waited while it was played.
    return TakeOver.ENDED if stood_by or checkpoint.run == run else TakeOver.BEGIN
