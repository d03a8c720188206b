"""`posebus engines`: build inference engines in advance, and list them with their accuracy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.plain_text import plain
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigOnly, JsonOption, NetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from workers.int8.engine_build import BuildResult, Material, OnProgress

FRAMES = 200
MOST_FRAMES = 600

engines_app = typer.Typer(no_args_is_help=True, help="Build inference engines in advance, and list them.")

INT8 = "8-bit engines"
_MoreArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="VIDEO", help="More recordings for the calibration, as with --calibrate.")
]


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """The recordings for the calibration of an 8-bit engine, and how much worse than fp32 it may be."""

    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            "--calibrate",
            metavar="VIDEO",
            help="Recording, picture or folder of pictures of your cameras. May be repeated.",
            rich_help_panel=INT8,
        ),
    ] = None
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="COCO keypoint annotations, with the pictures in the same folder; adds AP to the report.",
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
            help="Frames to read from the recordings; a quarter of them is held back for the report.",
            rich_help_panel=INT8,
        ),
    ] = FRAMES
    max_recall_loss: Annotated[
        float | None,
        typer.Option(
            "--max-recall-loss",
            metavar="PART",
            help="Refuse an engine that misses a larger part of the people found by fp32. (default: 0.03)",
            rich_help_panel=INT8,
        ),
    ] = None
    max_ap_loss: Annotated[
        float | None,
        typer.Option(
            "--max-ap-loss",
            metavar="PART",
            help="Refuse an engine whose AP is lower than that of fp32 by more than this. (default: 0.01)",
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
    """Export the network; with --precision int8, build an 8-bit engine.

    An 8-bit engine is calibrated with recordings of your cameras, compared with fp32 on other frames of them, and
    installed only if it finds nearly as many people; workers use it with --precision int8. It needs the extra int8:
    pip install '.[int8]' in the checkout of posebus. Exits with 1 if refused.
    """
    from posebus.config.loading import cache_folder
    from posebus.errors import ConfigError
    from posebus_cli.operate.engine_outcome import as_dict, print_outcome
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
            "an 8-bit engine is calibrated with recordings of your cameras, and a few sample pictures are not enough: "
            "give recordings of them with --calibrate VIDEO"
        )
    with interruptible(), _progress(as_json=as_json) as on_progress:
        outcome = _build_int8(settings, recordings, calibration, on_progress)
    if as_json:
        print(json.dumps(as_dict(outcome), indent=2))
    else:
        print_outcome(outcome)
    if outcome.built is None:
        raise typer.Exit(1)


@engines_app.command("list")
@grouped
def list_engines(deployment: ConfigOnly, as_json: JsonOption = False) -> None:
    """List the 8-bit engines on this machine, and how they compare with fp32."""
    from posebus.config.loading import cache_folder
    from posebus.errors import EngineError
    from posebus.runtime.failures import complain
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
        print(plain(built.in_words()))
    if not found:
        print("no 8-bit engine was built yet; build one with: posebus engines build --precision int8 --calibrate VIDEO")


def _make_ready(settings: Settings, cache_dir: Path, *, as_json: bool) -> None:
    """Export the network and load it once, so that the first worker starts faster."""
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
) -> BuildResult:
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
    """Show a bar for each step, or lines if standard error is not a terminal."""
    from recordings.progress import progress_for

    with progress_for(as_json=as_json) as progress:
        current, since_s = "", 0.0

        def on_progress(step: str, done: int, total: int | None) -> None:
            nonlocal current, since_s
            if step != current:
                progress.finish(current)
                current, since_s = step, time.monotonic()
            elapsed_s = time.monotonic() - since_s
            progress.update(step, done, total, done / elapsed_s if elapsed_s > 0 else 0.0)

        yield on_progress
