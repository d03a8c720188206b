"""The frames of a live camera over all its connections, numbered through as those of one recording. Pure."""

from __future__ import annotations

from dataclasses import replace

from posebus.messages import TrackFrame


class OneEpoch:
    """Each connection of a camera is an epoch whose frames count from 0; here they count on."""

    def __init__(self) -> None:
        self.connections = 0
        self._epoch = 0
        self._offset = 0
        self._next_seq = 0

    def add(self, frame: TrackFrame) -> TrackFrame | None:
        """Return the next frame with its number among all; None for a late frame of an earlier connection."""
        if frame.epoch < self._epoch:
            return None
        if frame.epoch > self._epoch:
            self._epoch, self._offset = frame.epoch, self._next_seq
            self.connections += 1
        seq = frame.seq + self._offset
        self._next_seq = max(self._next_seq, seq + 1)
        renamed = tuple(replace(one, since_seq=one.since_seq + self._offset) for one in frame.renamed)
        return replace(frame, epoch=1, seq=seq, renamed=renamed)
