"""The load of the first GPU, from nvidia-smi, for `benchmarks.gpu`; nothing without a GPU."""

from __future__ import annotations

import shutil
import statistics
import subprocess

QUERY = ("--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "--id=0")
EVERY_S = 1.0


class GpuUsage:
    """Samples of the GPU's load, one a second while `sample` is called."""

    def __init__(self) -> None:
        self._program = shutil.which("nvidia-smi")
        self._query: subprocess.Popen[str] | None = None
        self._started_at_s = -1e9
        self._samples: list[tuple[float, float]] = []

    def sample(self, now_s: float) -> None:
        """Read the answer of nvidia-smi if there is one, and start it again if it is time; never waits."""
        if self._program is None:
            return
        if self._query is not None and self._query.poll() is not None:
            found = parse(self._query.communicate()[0])
            if found is not None:
                self._samples.append(found)
            self._query = None
        if self._query is None and now_s - self._started_at_s >= EVERY_S:
            self._started_at_s = now_s
            self._query = subprocess.Popen(
                [self._program, *QUERY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )

    @property
    def busy_percent(self) -> float | None:
        """The mean part of the time in which kernels ran; None without samples."""
        return statistics.mean(busy for busy, _ in self._samples) if self._samples else None

    @property
    def memory_mb(self) -> float | None:
        """The mean memory in use by all processes; None without samples."""
        return statistics.mean(memory for _, memory in self._samples) if self._samples else None


def parse(text: str) -> tuple[float, float] | None:
    """(percent busy, megabytes) from a line of nvidia-smi such as `97, 2210`; None for any other text."""
    busy, comma, memory = text.strip().partition(",")
    try:
        return (float(busy), float(memory)) if comma else None
    except ValueError:
        return None
