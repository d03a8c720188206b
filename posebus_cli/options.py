"""Options that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from posebus.config.settings import Settings


class Engine(StrEnum):
    """The values of `WorkerSettings.engine`."""

    AUTO = "auto"
    TORCH = "torch"
    OPENVINO = "openvino"
    ONNX = "onnx"


class Precision(StrEnum):
    """The values of `WorkerSettings.precision`."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"


class MotionGate(StrEnum):
    """The values of `WorkerSettings.motion_gate`."""

    OFF = "off"
    CONSERVATIVE = "conservative"
    EAGER = "eager"


class Enhance(StrEnum):
    """The values of `WorkerSettings.enhance`."""

    OFF = "off"
    AUTO = "auto"


NETWORK = "Network"

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Configuration file; see examples/posebus.yaml."),
]
RedisOption = Annotated[
    str | None,
    typer.Option("--redis", metavar="URL", help="Broker, like redis://localhost:6379; 'embedded' starts one here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Ultralytics pose model by name, or a .pt file. (default: yolo11n-pose)",
        rich_help_panel=NETWORK,
    ),
]
ImgszOption = Annotated[
    str | None,
    typer.Option(
        "--imgsz",
        metavar="PIXELS",
        help="Longest side of the network's input; auto: what the people of each camera need. (default: 640)",
        rich_help_panel=NETWORK,
    ),
]
InferFpsOption = Annotated[
    str | None,
    typer.Option(
        "--infer-fps",
        metavar="FPS",
        help="Infer so many frames a second at most and predict the others; auto: as few as identities need.",
        rich_help_panel=NETWORK,
    ),
]
MotionGateOption = Annotated[
    MotionGate | None,
    typer.Option(
        "--motion-gate",
        help="Do not infer frames in which nothing moves and nobody is. (default: off)",
        rich_help_panel=NETWORK,
    ),
]
EnhanceOption = Annotated[
    Enhance | None,
    typer.Option(
        "--enhance",
        help="Mend dark, hazy, noisy and blocky pictures before inference. (default: off)",
        rich_help_panel=NETWORK,
    ),
]
EngineOption = Annotated[
    Engine | None,
    typer.Option(
        "--engine",
        help="What computes. auto: torch on a CUDA GPU, else OpenVINO.",
        show_choices=True,
        rich_help_panel=NETWORK,
    ),
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option(
        "--precision",
        help="Arithmetic. auto: the fastest the device does natively; int8 has to be built ('posebus engines').",
        rich_help_panel=NETWORK,
    ),
]
RefineOption = Annotated[
    int | None,
    typer.Option(
        "--refine-below",
        metavar="PIXELS",
        help="Look again, on enlarged crops, at people less high than this in the network's input; 128 is a good one.",
        rich_help_panel=NETWORK,
    ),
]
KeypointModelOption = Annotated[
    str | None,
    typer.Option(
        "--keypoint-model",
        metavar="FILE",
        help="Top-down network (.onnx) that computes everybody's keypoints.",
        rich_help_panel=NETWORK,
    ),
]
ConfOption = Annotated[
    float | None,
    typer.Option("--conf", metavar="SCORE", help="Ignore people below this score, 0 to 1.", rich_help_panel=NETWORK),
]
TrustOption = Annotated[
    bool | None,
    typer.Option(
        "--allow-unknown-weights",
        help="Load weights whose hash is not known. That runs code from the file: trust its origin first.",
        rich_help_panel=NETWORK,
    ),
]


def settings_from(config: Path | None, **overrides: object) -> Settings:
    """The settings of this call: file, environment, options. Keywords are fields with `__` for the dots.

    Raises ConfigError with every mistake.
    """
    from posebus.config.loading import load_settings

    values = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_settings(config, os.environ, values)


def broker_address(settings: Settings) -> str:
    """Where commands that only look find the broker: the one in the settings, or the embedded one of `up`."""
    from posebus.config.settings import EMBEDDED, EMBEDDED_PORT

    return f"redis://127.0.0.1:{EMBEDDED_PORT}" if settings.redis == EMBEDDED else settings.redis


def need_cameras(settings: Settings) -> None:
    """Raises ConfigError if no camera is configured."""
    from posebus.errors import ConfigError

    if not settings.cameras:
        raise ConfigError("no camera is configured: name some under 'cameras:' in a file and give it with -c FILE")
