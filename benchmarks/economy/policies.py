"""The policies that `benchmarks.economy` compares."""

from __future__ import annotations

from dataclasses import dataclass

from posebus.config.policies import AUTO
from posebus.config.settings import AUTO_IMGSZ_FIRST
from posebus.views import View

REFERENCE, SMALL = "reference", "small"


@dataclass(frozen=True, slots=True)
class Policy:
    """The `options` of `posebus run`; `plain` is the view of frames whose tracks name none."""

    title: str
    options: tuple[str, ...]
    plain: View

    @property
    def probes(self) -> bool:
        """Whether frames may also be inferred at other sizes, which their tracks do not name."""
        return "--imgsz" not in self.options or AUTO in self.options[: self.options.index("--imgsz") + 2]


def policies(large: int, small: int) -> dict[str, Policy]:
    """Policies by their name on the command line.

    Those that choose no size run at `large`, as the reference does, so that each differs from it by one policy alone.
    """

    def at(size: int, title: str, *options: str) -> Policy:
        return Policy(title, ("--imgsz", str(size), *options), View(size))

    def auto(title: str, *options: str) -> Policy:
        first = View(min(AUTO_IMGSZ_FIRST, large))
        return Policy(title, ("--imgsz", AUTO, *options), first)

    everything = ("--infer-fps", "auto", "--enhance", "auto", "--motion-gate")
    return {
        REFERENCE: at(large, f"every frame at {large}"),
        SMALL: at(small, f"every frame at {small}"),
        "imgsz": auto("imgsz auto"),
        "infer-fps": at(large, "infer_fps auto", "--infer-fps", "auto"),
        "gate": at(large, "motion_gate conservative", "--motion-gate", "conservative"),
        "gate-eager": at(large, "motion_gate eager", "--motion-gate", "eager"),
        "enhance": at(large, "enhance auto", "--enhance", "auto"),
        "all": auto("all, conservative gate", *everything, "conservative"),
        "all-eager": auto("all, eager gate", *everything, "eager"),
    }
