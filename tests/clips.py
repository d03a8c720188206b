"""Parts of the recordings beside the repository."""

from __future__ import annotations

from pathlib import Path

import av


def head(clip: Path, frames: int, target: Path) -> Path:
    """The first `frames` frames of `clip`, as they are compressed."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if number >= frames or packet.dts is None:
                break
            packet.stream = copy
            out.mux(packet)
    return target
