"""What a log record is about: the camera and the frame, as fields of the record."""

from __future__ import annotations

CAMERA, EPOCH, SEQ = "camera", "epoch", "seq"


def about(camera: str | None, epoch: int | None = None, seq: int | None = None) -> dict[str, object]:
    """The argument `extra` of a call of a logger, for a record about `camera` (if any), or about one frame of it."""
    return {CAMERA: camera, EPOCH: epoch, SEQ: seq}
