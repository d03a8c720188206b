"""`posebus evidence`: the snapshot of an event, and a clip of the pictures around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.settings import Settings
    from posebus.contract.evidence import FrameReference
    from posebus.messages import Event

_EventArgument = Annotated[
    str, typer.Argument(metavar="EVENT", help="The id of an event, as 'posebus watch' shows it, or its dataref.")
]
_OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")]
_ClipOption = Annotated[bool, typer.Option("--clip", help="Make a clip of the pictures around the event, too.")]
_SecondsOption = Annotated[
    float,
    typer.Option("--seconds", metavar="S", min=0.1, max=3600, help="How long before and after the event a clip lasts."),
]


@grouped
def evidence(
    event: _EventArgument,
    deployment: DeploymentOptions,
    out: _OutOption = Path(),
    clip: _ClipOption = False,
    seconds: _SecondsOption = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Fetch the evidence of an event: the snapshot with people drawn and heads blurred, and a clip.

    Snapshots are kept for 'evidence.keep_s'. A clip is made of the pictures that the camera still has, so it has to be
    asked for within its 'evidence.seconds'.
    """
    from evidence.clip import write_clip
    from posebus.bus.redis.connection import open_broker
    from recordings.results.files import make_folder, write_at_once

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    frame, found = _frame(broker, event)
    make_folder(out)
    name = f"{frame.camera}-{frame.epoch}-{frame.seq}"
    result: dict[str, Any] = {"camera": frame.camera, "epoch": frame.epoch, "seq": frame.seq}
    say = _say_nothing if as_json else print
    jpeg = _snapshot(broker, settings, frame)
    if jpeg is not None:
        result["snapshot"] = str(out / f"{name}.jpg")
        write_at_once(out / f"{name}.jpg", jpeg)
        say(f"snapshot: {out / name}.jpg")
    elif not clip:
        raise _missing(frame)
    if clip:
        rules = () if found is None else (str(found.data.get("rule")),)
        made = write_clip(broker, frame, out / f"{name}.mp4", seconds=seconds, of_event=rules)
        result["clip"] = {"file": str(out / f"{name}.mp4"), **made._asdict()}
        without = f"; {made.left_out} without tracks are left out" if made.left_out else ""
        say(
            f"clip: {out / name}.mp4, {made.pictures} pictures from {made.from_s:+.1f} s to {made.to_s:+.1f} s{without}"
        )
    if as_json:
        print(json.dumps(result))


def _say_nothing(line: str) -> None:
    """With --json there is one object, at the end."""


def _frame(broker: Broker, text: str) -> tuple[FrameReference, Event | None]:
    """Return the frame that a reference or an event names, and the event if the broker has it. Raises ConfigError."""
    from posebus.contract.evidence import SCHEME, frame_of_event_id, read_dataref
    from posebus.errors import ConfigError
    from posebus.subscribing.lookup import find_event

    try:
        if text.startswith(SCHEME):
            return read_dataref(text), None
        frame = frame_of_event_id(text)
        found = find_event(broker, frame.camera, text)
        event = None if found is None else found[1]
        if event is not None and event.dataref is not None:
            frame = read_dataref(event.dataref)
        return frame, event
    except ValueError as error:
        raise ConfigError(f"EVENT is not known: {error}") from None


def _snapshot(broker: Broker, settings: Settings, frame: FrameReference) -> bytes | None:
    from posebus.bus.evidence.snapshots import read_snapshot
    from posebus.subscribing.evidence import snapshot_path

    if settings.evidence.folder is None:
        return read_snapshot(broker, frame.camera, frame[1:])
    try:
        return snapshot_path(Path(settings.evidence.folder).expanduser(), frame).read_bytes()
    except OSError:
        return None


def _missing(frame: FrameReference) -> Exception:
    from posebus.errors import SourceUnavailable

    return SourceUnavailable(
        f"there is no snapshot of frame {frame.seq} of camera {frame.camera}: its picture had left the ring, it is "
        "older than 'evidence.keep_s', or the camera keeps no evidence; 'posebus top' counts what is missing"
    )
