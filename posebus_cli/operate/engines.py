"""`posebus engines`: inference engines made ahead of time, and what is known of their accuracy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, NetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from workers.int8.engine_build import Material, OnProgress, Outcome

FRAMES = 200
MOST_FRAMES = 600

engines_app = typer.Typer(no_args_is_help=True, help="Make inference engines ahead of time, and list them.")

INT8 = "8-bit engines"
_MoreArgument = Annotated[list[Path] | None, typer.Argument(metavar="VIDEO", help="More recordings to calibrate with.")]
ConfigOnly = Annotated[DeploymentOptions, Offer(first=("config",), others=False)]


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """What an 8-bit engine is fitted to, and how much worse than fp32 it may be."""

    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            "--calibrate",
            metavar="VIDEO",
            help="Recording (or picture, or folder of pictures) that shows what the cameras will. May be repeated.",
            rich_help_panel=INT8,
        ),
    ] = None
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="COCO keypoint annotations with the pictures beside them; adds AP to the report.",
            rich_help_panel=INT8,
        ),
    ] = None
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            metavar="N",
            min=8,
            max=MOST_FRAMES,
            help="Frames to take from the recordings; a quarter of them is held back for the report.",
            rich_help_panel=INT8,
        ),
    ] = FRAMES
    max_recall_loss: Annotated[
        float | None,
        typer.Option(
            "--max-recall-loss",
            metavar="PART",
            help="Refuse an engine that misses more of fp32's people. (default: 0.03)",
            rich_help_panel=INT8,
        ),
    ] = None
    max_ap_loss: Annotated[
        float | None,
        typer.Option(
            "--max-ap-loss",
            metavar="PART",
            help="Refuse an engine whose AP is lower by more. (default: 0.01)",
            rich_help_panel=INT8,
        ),
    ] = None


@engines_app.command("build")
@grouped
def build(
    more: _MoreArgument = None,
    *,
    deployment: ConfigOnly,
    network: Annotated[
        NetworkOptions, Offer(first=("precision", "model", "imgsz", "allow_unknown_weights"), others=False)
    ],
    calibration: CalibrationOptions,
    as_json: JsonOption = False,
) -> None:
    """Export the network, and with --precision int8 make an 8-bit engine of it.

    An 8-bit engine is fitted to recordings of your cameras, compared with fp32 on frames that it was not fitted to, and
    kept only if it finds as many people; workers use it with --precision int8. Exits with 1 if it was refused.
    """
    from posebus.config.loading import cache_folder
    from posebus.errors import ConfigError
    from posebus_cli.operate.engine_outcome import as_dict, say
    from recordings.interrupts import interruptible

    settings = settings_from(deployment, network)
    recordings = [*(calibration.calibrate or []), *(more or [])]
    if settings.worker.precision != "int8":
        if recordings or calibration.annotations:
            raise ConfigError("only 8-bit engines are calibrated: add --precision int8")
        with interruptible():
            _make_ready(settings, cache_folder(settings), as_json=as_json)
        return
    if not recordings:
        raise ConfigError(
            "an 8-bit engine is fitted to what your cameras show, and a few sample pictures would not do: "
            "give recordings of them with --calibrate VIDEO"
        )
    with interruptible(), _progress(as_json=as_json) as on_progress:
        outcome = _build_int8(settings, recordings, calibration, on_progress)
    if as_json:
        print(json.dumps(as_dict(outcome), indent=2))
    else:
        say(outcome)
    if outcome.built is None:
        raise typer.Exit(1)


@engines_app.command("list")
@grouped
def list_engines(deployment: ConfigOnly, as_json: JsonOption = False) -> None:
    """The 8-bit engines that were built here, and how they compared with fp32."""
    from posebus.config.loading import cache_folder
    from posebus.errors import EngineError
    from posebus_cli.failures import complain
    from workers.weights.int8_cache import list_built, read_built

    found = []
    for path in list_built(cache_folder(settings_from(deployment))):
        try:
            found.append(read_built(path))
        except EngineError as error:
            complain(error)
    if as_json:
        print(json.dumps([built.facts for built in found], indent=2))
        return
    for built in found:
        print(built.in_words())
    if not found:
        print("no 8-bit engine was built: posebus engines build --precision int8 --calibrate VIDEO")


def _make_ready(settings: Settings, cache_dir: Path, *, as_json: bool) -> None:
    """Export the network and load it once, so that the first worker does not have to."""
    from rich.console import Console

    from workers.engine_loading import load_engine

    with Console(stderr=True).status("Exporting the network"):
        engine = load_engine(settings.worker, cache_dir)
        engine.close()
    if as_json:
        print(json.dumps({"engine": engine.name, "precision": engine.precision, "device": engine.device}))
    else:
        print(f"{engine.name} {engine.precision} on {engine.device} is ready")


def _build_int8(
    settings: Settings, recordings: list[Path], options: CalibrationOptions, on_progress: OnProgress
) -> Outcome:
    from posebus.config.loading import cache_folder
    from workers.engine_loading import choose_engine
    from workers.int8.engine_build import Allowance, build_int8
    from workers.int8.engine_report import MAX_AP_LOSS, MAX_RECALL_LOSS
    from workers.weights.weights import resolve_weights

    choose_engine(settings.worker)
    cache_dir = cache_folder(settings)
    weights = resolve_weights(
        settings.worker.model, allow_unknown=settings.worker.allow_unknown_weights, cache_dir=cache_dir
    )
    allowed = Allowance(
        recall=MAX_RECALL_LOSS if options.max_recall_loss is None else options.max_recall_loss,
        ap=MAX_AP_LOSS if options.max_ap_loss is None else options.max_ap_loss,
    )
    material = _material(settings, recordings, options, on_progress)
    return build_int8(weights, settings.worker, cache_dir, material, allowed, on_progress)


def _material(
    settings: Settings, recordings: list[Path], options: CalibrationOptions, on_progress: OnProgress
) -> Material:
    from recordings.calibration_frames import described, read_rgb, spread_frames
    from workers.int8.average_precision import read_annotations
    from workers.int8.engine_build import Material

    return Material(
        inputs=spread_frames(recordings, options.frames, settings.worker.plain_imgsz, on_progress),
        sources=described(recordings),
        annotated=None if options.annotations is None else read_annotations(options.annotations),
        read=read_rgb,
    )


@contextmanager
def _progress(*, as_json: bool) -> Iterator[OnProgress]:
    """A bar for what is being done, or lines where standard error is no terminal."""
    from recordings.progress import progress_for

    with progress_for(as_json=as_json) as progress:
        under_way, since_s = "", 0.0

        def on_progress(what: str, done: int, total: int | None) -> None:
            nonlocal under_way, since_s
            if what != under_way:
                progress.finish(under_way)
                under_way, since_s = what, time.monotonic()
            elapsed_s = time.monotonic() - since_s
            progress.update(what, done, total, done / elapsed_s if elapsed_s > 0 else 0.0)

        yield on_progress
