"""`posebus snapshot`: one annotated picture of a camera of the running deployment, or of any source."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.config.redaction import redact_url
from posebus.plain_text import plain, plain_json
from posebus.wording import counted
from posebus_cli.analyse.source_picture import picture_of_source
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, JsonOption, PictureNetworkOptions, PrivacyOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.cameras.privacy import Privacy
    from posebus.config.settings import CameraSettings, Settings
    from recordings.results.draw import Image
    from recordings.results.video import Style

LIMIT_S = 20.0
"""Of a still scene, a picture is inferred every few seconds."""
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """An annotated picture, BGR (H, W, 3), a name for its file, and what is in it: as text, and for `--json`."""

    image_bgr: Image
    name: str
    says: str
    result: dict[str, Any]


@grouped
def snapshot(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CAMERA|SOURCE",
            help="A camera of the running deployment by its name; or a source: an address, usb:0, a video, a picture.",
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File for the picture. (default: NAME.png, or NAME-2.png, …)"),
    ] = None,
    as_json: JsonOption = False,
    deployment: ConfigFirst,
    network: Annotated[
        PictureNetworkOptions, Offer(first=("imgsz", "tiles", "conf"), without=("infer_fps", "motion_gate", "masks"))
    ],
    privacy: PrivacyOption = None,
) -> None:
    """Take one picture and draw the people in it.

    Of a camera of the running deployment it is the next frame that is inferred, with the tracks of that very frame. Of
    any other source the sharpest of its first pictures is inferred here, as by 'posebus image'; the options of the
    network are for this.

    Heads are blurred, unless --privacy or the camera in the configuration file says none.

    With --json the people are printed, and no picture is written without --out.
    """
    from recordings.interrupts import interruptible

    settings = settings_from(deployment, network)
    if out is not None or not as_json:
        _check_file(out)
    with interruptible():
        taken = _taken(settings, what, network.tiles, privacy)
        path = None if as_json and out is None else _write(taken, out)
    if as_json:
        print(plain_json(json.dumps({**taken.result, "picture": None if path is None else str(path)})))
    else:
        print(plain(f"{taken.says}, drawn in {path}"))


def _taken(settings: Settings, what: str, tiles: str | None, privacy: Privacy | None) -> _Snapshot:
    """Return the picture of `what`. Raises PoseBusError with one sentence."""
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus.config.cameras.privacy import HEADS
    from posebus.config.settings import CameraSettings
    from posebus.errors import BrokerUnavailable, ConfigError
    from recordings.results.video import Style

    known_camera = settings.cameras.get(what)
    style = Style(privacy=privacy or (HEADS if known_camera is None else known_camera.privacy))
    if not _may_be_camera(settings, what):
        return _of_source(settings, CameraSettings(source=what), tiles, style)
    cameras: list[str] = []
    trouble = ""
    try:
        broker = open_broker(broker_address(settings), settings.shards)
        cameras = [record.camera for record in Registry(broker).cameras()]
        if what in cameras:
            return _of_camera(broker, what, style)
    except BrokerUnavailable as error:
        trouble = str(error)
    if what in settings.cameras:
        return _of_source(settings, settings.cameras[what], tiles, style, name=what)
    if Path(what).exists():
        return _of_source(settings, CameraSettings(source=what), tiles, style)
    known = trouble or f"the deployment has {', '.join(cameras) or 'no camera'}"
    raise ConfigError(f"there is no camera {plain(what)!r} and no such file: {known}")


def _may_be_camera(settings: Settings, what: str) -> bool:
    import re

    from posebus.config.settings import CAMERA_NAME_PATTERN

    return what in settings.cameras or re.match(CAMERA_NAME_PATTERN, what) is not None


def _of_camera(broker: Broker, camera: str, style: Style) -> _Snapshot:
    """Return the next frame with its tracks. Raises SourceUnavailable if there is none."""
    from posebus.bus.registry import Registry
    from posebus.config.cameras.privacy import HEADS
    from posebus.contract.public_json import track_frame_to_json
    from posebus.errors import SourceUnavailable
    from posebus.messages import TrackState
    from posebus.privacy.blurring import blur_heads
    from posebus.privacy.regions import frame_regions, scaled
    from posebus.subscribing.pictures import next_picture
    from posebus.telemetry.camera_state import SWITCHED_OFF, CameraState
    from posebus.telemetry.process_report import CaptureReport
    from posebus.telemetry.reports import capture_of, process_reports
    from recordings.live.decoding import decoded
    from recordings.results.draw import draw_tracks

    capture = capture_of(process_reports(Registry(broker)), camera)
    if capture.state in (CameraState.OFFLINE, CameraState.ENDED, CameraState.GIVEN_UP, *SWITCHED_OFF):
        why = f": {capture.trouble}" if capture.trouble else ""
        raise SourceUnavailable(f"the camera {camera} gives no pictures, since it is {capture.state}{why}")
    if capture.state == CaptureReport().state:
        raise SourceUnavailable(
            f"the camera {camera} gives no pictures, since no ingest process reads it; a recording may have ended"
        )
    found = next_picture(broker, camera, LIMIT_S)
    if found is None:
        raise SourceUnavailable(
            f"no picture of the camera {camera} was inferred within {LIMIT_S:g} s; `posebus top` shows whether it is "
            "online, and whether there are workers and a tracker"
        )
    image_bgr = decoded(found.frame)
    if style.privacy == HEADS:
        picture_px = image_bgr.shape[1], image_bgr.shape[0]
        blur_heads(image_bgr, scaled(frame_regions(found.tracks), found.tracks.size_px, picture_px))
    draw_tracks(image_bgr, found.tracks)
    people = [track for track in found.tracks.tracks if track.state == TrackState.CONFIRMED]
    ids = " ".join(str(track.id) for track in people)
    return _Snapshot(
        image_bgr=image_bgr,
        name=camera,
        says=f"{camera}: {counted(len(people), 'person')}{f' ({ids})' if ids else ''}",
        result=track_frame_to_json(found.tracks, found.provenance, found.provenance.published_at_ns),
    )


def _of_source(
    settings: Settings, source: CameraSettings, tiles: str | None, style: Style, name: str | None = None
) -> _Snapshot:
    """Return a picture of the source with its people, inferred here. Raises PoseBusError."""
    from recordings.live.naming import source_name

    found = picture_of_source(settings, source, style, tiles)
    shown = redact_url(source.source)
    return _Snapshot(
        image_bgr=found.image_bgr,
        name=(name or source_name(source.source)).replace("/", "_"),
        says=f"{name or shown}: {counted(len(found.people), 'person')}",
        result={
            "source": shown,
            "captured_at_ns": found.captured_at_ns,
            "size_px": list(found.size_px),
            "view": found.view,
            "people": found.people,
        },
    )


def _check_file(out: Path | None) -> None:
    """Raise ConfigError or OutputError for a file that could not be written, before anything else is done."""
    from posebus.errors import ConfigError, OutputError

    if out is not None and out.suffix.lower() not in ENDINGS:
        raise ConfigError(f"--out: {out} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    folder = Path() if out is None else out.parent
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder} for the picture; create it, or choose another file with --out")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"no file can be written into the folder {folder.absolute()}; choose another one with --out")


def _write(taken: _Snapshot, out: Path | None) -> Path:
    """Write the picture; without `out` under a name that no file has. Raises OutputError."""
    import cv2

    from recordings.results.files import write_at_once

    names = chain([f"{taken.name}.png"], (f"{taken.name}-{number}.png" for number in count(2)))
    path = out or Path(next(name for name in names if not os.path.lexists(name)))
    write_at_once(path, cv2.imencode(path.suffix.lower(), taken.image_bgr)[1].tobytes())
    return path
