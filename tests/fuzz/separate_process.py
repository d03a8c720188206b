"""Fuzzing of decoders in a process of its own, which a damaged picture may crash."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable

from tests.conftest import ROOT


def count_attempts(attempt: Callable[[random.Random], str]) -> None:
    """Run in the separate process, with SEED and NUMBER as arguments: prints how many attempts ended in which way."""
    seed, number = int(sys.argv[1]), int(sys.argv[2])
    counts = {"refused": 0, "decoded": 0}
    for one in range(number):
        # It is named before it is decoded, so that after a crash the last name is that of the cause.
        sys.stderr.write(f"seed {seed + one}\n")
        counts[attempt(random.Random(seed + one))] += 1
    sys.stdout.write(json.dumps(counts))


def check_attempts(module: str, number: int) -> None:
    """Run `number` attempts of a module of this folder; fails after a crash, or if hardly any ended in either way."""
    seed = random.SystemRandom().randrange(2**40)
    command = [sys.executable, "-m", f"fuzz.{module}", str(seed), str(number)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["refused"] > number // 100
    assert counts["decoded"] > number // 100
