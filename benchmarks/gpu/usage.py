"""How busy the first GPU is, by nvidia-smi, for `benchmarks.gpu`; nothing where there is none."""

from __future__ import annotations

import shutil
import statistics
import subprocess

QUERY = ("--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "--id=0")
EVERY_S = 1.0


class GpuUsage:
    """Samples, one a second while somebody calls `look`."""

    def __init__(self) -> None:
        self._program = shutil.which("nvidia-smi")
        self._asked: subprocess.Popen[str] | None = None
        self._asked_at_s = -1e9
        self._samples: list[tuple[float, float]] = []

    def look(self, now_s: float) -> None:
        """Take what nvidia-smi has answered, and ask again if it is time; never waits."""
        if self._program is None:
            return
        if self._asked is not None and self._asked.poll() is not None:
            sample = parse(self._asked.communicate()[0])
            if sample is not None:
                self._samples.append(sample)
            self._asked = None
        if self._asked is None and now_s - self._asked_at_s >= EVERY_S:
            self._asked_at_s = now_s
            self._asked = subprocess.Popen(
                [self._program, *QUERY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )

    @property
    def busy_percent(self) -> float | None:
        """Part of the time in which kernels ran; None where nobody knows."""
        return statistics.mean(busy for busy, _ in self._samples) if self._samples else None

    @property
    def memory_mb(self) -> float | None:
        """Memory in use by all processes; None where nobody knows."""
        return statistics.mean(memory for _, memory in self._samples) if self._samples else None


def parse(text: str) -> tuple[float, float] | None:
    """(percent busy, megabytes) from nvidia-smi's line, such as `97, 2210`; None for anything else."""
    busy, comma, memory = text.strip().partition(",")
    try:
        return (float(busy), float(memory)) if comma else None
    except ValueError:
        return None
