"""The groups of options that commands share, so that an option reads and behaves the same everywhere.

A new option is one field here: every command that takes the group has it, unless its `Offer` leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from posebus.config.cameras.privacy import Privacy
from posebus.config.worker_settings import EngineName, Enhance, MotionGate, PrecisionName
from posebus_cli.options.grouping import Offer, Sets

NETWORK = "Network"
"""The panel of the help in which the options of inference stand."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

PrivacyOption = Annotated[
    Privacy | None,
    typer.Option(
        "--privacy",
        help="heads: blur the heads of people in every picture that is written; none: show them. (default: heads)",
    ),
]


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """Which configuration file and which broker a command uses."""

    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            metavar="URL",
            help="Address of the broker, like redis://localhost:6379. (default: that of the file or of POSEBUS_REDIS, "
            "else the broker of 'posebus up'; up and run start their own)",
        ),
        Sets("redis"),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Configuration file; see examples/posebus.yaml."),
    ] = None


NoReloadOption = Annotated[
    bool, typer.Option("--no-reload", help="Do not apply changes of the configuration file while this command runs.")
]

ConfigFirst = Annotated[DeploymentOptions, Offer(first=("config",))]
"""The same options in the order of the commands that need a configuration file in most cases."""

ConfigOnly = Annotated[DeploymentOptions, Offer(first=("config",), others=False)]
"""For commands that use no broker."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How a process that runs for long, and those that it starts, write their log."""

    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(
            "--log-format",
            help="Format of the log on standard error: text, or a JSON object in each line. (default: text)",
        ),
        Sets("log_format"),
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
            help="Worker processes to start here; 0: use the workers of the broker at --redis. (default: 1)",
        ),
        Sets("fleet.workers"),
    ] = None


PART = "Part of each recording"
"""The panel of the help in which the options that leave out frames stand."""


@dataclass(frozen=True, slots=True)
class PartOptions:
    """Which frames of a recording are read. Times are seconds, MM:SS or HH:MM:SS from its first frame."""

    start: Annotated[
        str | None,
        typer.Option("--start", metavar="TIME", help="Begin here: seconds, MM:SS or HH:MM:SS.", rich_help_panel=PART),
    ] = None
    end: Annotated[
        str | None,
        typer.Option("--end", metavar="TIME", help="End before the frame at this time.", rich_help_panel=PART),
    ] = None
    every: Annotated[
        int | None,
        typer.Option("--every", metavar="N", min=1, help="Read only every N-th frame.", rich_help_panel=PART),
    ] = None
    max_fps: Annotated[
        float | None,
        typer.Option(
            "--max-fps",
            metavar="FPS",
            help="Read at most so many frames per second of the recording; the rate of pictures in a folder.",
            rich_help_panel=PART,
        ),
    ] = None


def _known_engine(name: str | None) -> str | None:
    """Refuse a name that neither posebus nor an installed package gives to an engine."""
    built_in = get_args(EngineName)
    if name is not None and name not in built_in:
        from importlib.metadata import entry_points

        added = sorted(entry_points(group="posebus.engines").names)
        if name not in added:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, [*built_in, *added]))}.")
    return name


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How frames are inferred: the network, its engine, and which frames it gets."""

    imgsz: Annotated[
        str | None,
        typer.Option(
            "--imgsz",
            metavar="PIXELS",
            help="Longest side of the network's input; auto: as large as each camera's people need. (default: auto)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.imgsz"),
    ] = None
    infer_fps: Annotated[
        str | None,
        typer.Option(
            "--infer-fps",
            metavar="FPS",
            help="Infer at most so many frames per second and predict the others; auto: as few as the tracker needs.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.infer_fps"),
    ] = None
    motion_gate: Annotated[
        MotionGate | None,
        typer.Option(
            "--motion-gate",
            help="Do not infer still frames without people; eager: nor frames with little change. (default: "
            "conservative for live cameras, off for recordings)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.motion_gate"),
    ] = None
    enhance: Annotated[
        Enhance | None,
        typer.Option(
            "--enhance",
            help="Improve dark, hazy, noisy or blocky pictures before inference. (default: auto for live cameras, off "
            "for recordings)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.enhance"),
    ] = None
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar=f"[{'|'.join(get_args(EngineName))}]",
            callback=_known_engine,
            help="Inference engine, or one that an installed package adds; auto: torch on a CUDA GPU, else OpenVINO.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.engine"),
    ] = None
    precision: Annotated[
        PrecisionName | None,
        typer.Option(
            "--precision",
            help="Number format of the network; auto: the fastest floating-point format of the device; int8: needs an "
            "engine from 'posebus engines build'.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.precision"),
    ] = None
    refine_below: Annotated[
        int | None,
        typer.Option(
            "--refine-below",
            metavar="PIXELS",
            help="Refine the keypoints of people shorter than this in the network's input, on enlarged crops; "
            "128 works well.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.refine_below_px"),
    ] = None
    keypoint_model: Annotated[
        str | None,
        typer.Option(
            "--keypoint-model",
            metavar="FILE",
            help="Top-down network (.onnx) for the keypoints of every detected person.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.keypoint_model"),
    ] = None
    conf: Annotated[
        float | None,
        typer.Option(
            "--conf", metavar="SCORE", help="Ignore people with a score below this, 0 to 1.", rich_help_panel=NETWORK
        ),
        Sets("worker.conf"),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Name of an ultralytics pose model, or a .pt file. (default: yolo11n-pose)",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.model"),
    ] = None
    allow_unknown_weights: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-weights",
            help="Load weights of unknown hash. Loading can run code in the file, so use trusted files only.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.allow_unknown_weights"),
    ] = None


@dataclass(frozen=True, slots=True)
class PictureNetworkOptions(NetworkOptions):
    """`NetworkOptions` for single pictures: exact arithmetic, a stricter score, tiles and outlines."""

    precision: Annotated[
        PrecisionName,
        typer.Option("--precision", help="Number format of the network; fp32 is exact.", rich_help_panel=NETWORK),
        Sets("worker.precision"),
    ] = "fp32"
    conf: Annotated[
        float,
        typer.Option(
            "--conf", metavar="SCORE", help="Ignore people with a score below this, 0 to 1.", rich_help_panel=NETWORK
        ),
        Sets("worker.conf"),
    ] = 0.25
    tiles: Annotated[
        str | None,
        typer.Option(
            "--tiles",
            metavar="CxR",
            help="Split pictures into so many overlapping columns and rows, like 2x2, and infer each at --imgsz.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    masks: Annotated[
        str | None,
        typer.Option(
            "--masks",
            metavar="NAME",
            help="Also outline people, with an ultralytics segmentation model by name (yolo11n-seg) or a .pt file.",
            rich_help_panel=NETWORK,
        ),
        Sets("worker.masks"),
    ] = None
