"""What posebus has to know about an inference engine before it loads one: one `EngineSpec` adds an engine.

A package of its own adds an engine by a line of its pyproject.toml::

    [project.entry-points."posebus.engines"]
    myengine = "mypackage.engine:SPEC"

The settings then take `worker.engine: myengine`. See `posebus.installed.plugins` for how plug-ins are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from posebus.config.settings import WorkerSettings
from posebus.machine.cpus import available_cpus
from workers.detections import Limits
from workers.engines.base import Engine
from workers.weights.weights import Weights

CPU = "cpu"


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What an engine is built from.

    weights: the .pt file, which has passed the hash check. precision, device: as the spec of the engine offers them.
    cache_dir: the folder of exported and compiled networks, shared by the workers of a machine.
    """

    weights: Weights
    precision: str
    device: str
    settings: WorkerSettings
    cache_dir: Path

    @property
    def limits(self) -> Limits:
        """The thresholds of the settings."""
        return Limits(conf=self.settings.conf, iou=self.settings.iou, max_people=self.settings.max_people)

    @property
    def threads(self) -> int:
        """CPU threads to compute with."""
        return self.settings.threads or available_cpus()


Builder = Callable[[EngineRequest], Engine]
"""Loads an engine. Raises WeightsError and EngineError with sentences for people."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An inference engine: what it needs, what it offers on this machine, and how it is built.

    name: the value of `worker.engine`. module: the top-level module that must be importable. build: builder for pose
    networks. precisions: the arithmetic that the engine computes natively on a device, first the one that
    `precision: auto` stands for (the fastest that loses no accuracy). device: where the engine computes on this
    machine, `cpu` or `cuda:0`; called once the module is known to be importable. build_masks: builder for segmentation
    networks, where the engine runs them. batches: whether the setting `batch` may exceed 1. install: what pip is to
    install where the module is missing.
    """

    name: str
    module: str
    build: Builder
    precisions: Callable[[str], tuple[str, ...]]
    device: Callable[[], str] = lambda: CPU
    build_masks: Builder | None = None
    batches: bool = False
    install: str = "'.[worker]' in the checkout of posebus"

    @property
    def is_installed(self) -> bool:
        """Whether the module can be imported; it is not imported to find out."""
        return find_spec(self.module) is not None
