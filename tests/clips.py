"""Parts of the recordings beside the repository, and the photographs that ultralytics ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av


def photograph(name: str) -> Path:
    """bus.jpg (four people) or zidane.jpg (two). Importing ultralytics for its folder would take seconds."""
    found = importlib.util.find_spec("ultralytics")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0], "assets", name)


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
