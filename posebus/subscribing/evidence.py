"""Reading the evidence of an event: the snapshot that its `dataref` refers to."""

from __future__ import annotations

import os
from pathlib import Path

from posebus.bus.evidence.snapshots import read_snapshot
from posebus.bus.redis.connection import open_broker
from posebus.config.broker_address import default_address
from posebus.contract.evidence import FrameReference, read_dataref


def evidence(
    dataref: str, url: str | None = None, *, shards: int = 1, folder: str | os.PathLike[str] | None = None
) -> bytes | None:
    """Return the snapshot of an event as a JPEG file, None if there is none (yet, or any more).

    Args:
        dataref: as in the event, `posebus-evidence:CAMERA/EPOCH/SEQ`.
        url: address of the broker; None means as for `posebus.subscribe`.
        shards: as in the deployment's settings.
        folder: where snapshots are kept in a folder, that folder (`evidence.folder`); the broker is not asked then.

    Raises:
        ValueError: `dataref` is none.
        BrokerUnavailable, BrokerRefused: the broker cannot be reached, or refuses to serve.
        OSError: the file in `folder` cannot be read.
    """
    frame = read_dataref(dataref)
    if folder is not None:
        try:
            return snapshot_path(Path(folder), frame).read_bytes()
        except FileNotFoundError:
            return None
    broker = open_broker(default_address(os.environ) if url is None else url, shards)
    try:
        return read_snapshot(broker, frame.camera, frame[1:])
    finally:
        broker.client.close()


def snapshot_path(folder: Path, frame: FrameReference) -> Path:
    """Return the file of the snapshot of `frame` in the folder of snapshots."""
    return folder / frame.camera / f"{frame.epoch}-{frame.seq}.jpg"
