"""The groups of options that commands share, so that an option reads and behaves the same everywhere.

A new option is one field here: every command that takes the group has it, unless its `Offer` leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from posebus.config.worker_settings import EngineName, Enhance, MotionGate, PrecisionName
from posebus_cli.options.grouping import Sets

NETWORK = "Network"
"""The panel of the help in which the options of inference stand."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """Which configuration file and which broker a command uses."""

    redis: Annotated[
        str | None,
        typer.Option("--redis", metavar="URL", help="Broker, like redis://localhost:6379; 'embedded' starts one here."),
        Sets("redis"),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Configuration file; see examples/posebus.yaml."),
    ] = None


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How many processes a command starts."""

    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=0,
            help="Workers to start here; 0 leaves the work to those at --redis. (default: 1)",
        ),
        Sets("fleet.workers"),
    ] = None


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How frames are inferred: the network, its engine, and which frames it gets."""

    imgsz: Annotated[
        str | None,
        typer.Option(
            "--imgsz",
            metavar="PIXELS",
            help="Longest side of the network's input; auto: what the people of each camera need. (default: 640)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.imgsz"),
    ] = None
    infer_fps: Annotated[
        str | None,
        typer.Option(
            "--infer-fps",
            metavar="FPS",
            help="Infer so many frames a second at most and predict the others; auto: as few as identities need.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.infer_fps"),
    ] = None
    motion_gate: Annotated[
        MotionGate | None,
        typer.Option(
            "--motion-gate",
            help="Do not infer frames in which nothing moves and nobody is. (default: off)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.motion_gate"),
    ] = None
    enhance: Annotated[
        Enhance | None,
        typer.Option(
            "--enhance",
            help="Mend dark, hazy, noisy and blocky pictures before inference. (default: off)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.enhance"),
    ] = None
    engine: Annotated[
        EngineName | None,
        typer.Option(
            "--engine",
            help="What computes. auto: torch on a CUDA GPU, else OpenVINO.",
            show_choices=True,
            rich_help_panel=NETWORK,
        ),
        Sets("worker.engine"),
    ] = None
    precision: Annotated[
        PrecisionName | None,
        typer.Option(
            "--precision",
            help="Arithmetic. auto: the fastest the device does natively; int8 has to be built ('posebus engines').",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.precision"),
    ] = None
    refine_below: Annotated[
        int | None,
        typer.Option(
            "--refine-below",
            metavar="PIXELS",
            help="Look again, on enlarged crops, at people less high than this in the network's input; "
            "128 is a good one.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.refine_below_px"),
    ] = None
    keypoint_model: Annotated[
        str | None,
        typer.Option(
            "--keypoint-model",
            metavar="FILE",
            help="Top-down network (.onnx) that computes everybody's keypoints.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.keypoint_model"),
    ] = None
    conf: Annotated[
        float | None,
        typer.Option(
            "--conf", metavar="SCORE", help="Ignore people below this score, 0 to 1.", rich_help_panel=NETWORK
        ),
        Sets("worker.conf"),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Ultralytics pose model by name, or a .pt file. (default: yolo11n-pose)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.model"),
    ] = None
    allow_unknown_weights: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-weights",
            help="Load weights whose hash is not known. That runs code from the file: trust its origin first.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.allow_unknown_weights"),
    ] = None


@dataclass(frozen=True, slots=True)
class PictureNetworkOptions(NetworkOptions):
    """As `NetworkOptions`, for single pictures: exact arithmetic, a stricter score, tiles and outlines."""

    precision: Annotated[
        PrecisionName,
        typer.Option("--precision", help="Arithmetic; fp32 is exact.", rich_help_panel=NETWORK),
        Sets("worker.precision"),
    ] = "fp32"
    conf: Annotated[
        float,
        typer.Option(
            "--conf", metavar="SCORE", help="Ignore people below this score, 0 to 1.", rich_help_panel=NETWORK
        ),
        Sets("worker.conf"),
    ] = 0.25
    tiles: Annotated[
        str | None,
        typer.Option(
            "--tiles",
            metavar="CxR",
            help="Cut large pictures into so many overlapping columns and rows, each inferred at --imgsz; like 2x2.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    masks: Annotated[
        str | None,
        typer.Option(
            "--masks",
            metavar="NAME",
            help="Outline people, too: ultralytics segmentation model by name (yolo11n-seg), or a .pt file.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.masks"),
    ] = None
