"""Parts of the recordings beside the repository."""

from __future__ import annotations

from pathlib import Path

import av


def head(clip: Path, frames: int, target: Path, *, slower: int = 1) -> Path:
    """The first `frames` frames of `clip`, as they are compressed; `slower` is the factor of the time between them."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if number >= frames or packet.dts is None:
                break
            packet.stream = copy
            if slower != 1 and packet.pts is not None:
                packet.pts, packet.dts = packet.pts * slower, packet.dts * slower
                packet.duration = (packet.duration or 0) * slower
            out.mux(packet)
    return target
