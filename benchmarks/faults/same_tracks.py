"""Compare the result files of two runs of `posebus run`: are the tracks the same to the last digit?

    posebus run CLIP --no-video --out before        (with one version, or one set of options)
    posebus run CLIP --no-video --out after         (with another)
    python -m benchmarks.faults.same_tracks before after

Every field of every frame in NAME.tracks.jsonl is compared except the three wall-clock times of the run, and
NAME.mot.txt byte by byte. The exit code is 1 if anything differs, and the first difference of each file is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

TIMES_OF_THE_RUN = ("frame_published_at_ns", "inference_ns", "published_at_ns")


def frame_without_times(line: str) -> dict[str, Any]:
    """One line of NAME.tracks.jsonl without the fields that differ from run to run."""
    frame: dict[str, Any] = json.loads(line)
    return {name: value for name, value in frame.items() if name not in TIMES_OF_THE_RUN}


def first_difference(before: Path, after: Path) -> str | None:
    """A description of the first line in which two files differ, or None."""
    parse = frame_without_times if before.name.endswith(".tracks.jsonl") else str
    pairs = zip_longest(before.read_text().splitlines(), after.read_text().splitlines())
    for number, (one, other) in enumerate(pairs, 1):
        if one is None or other is None:
            return f"line {number} is in one of them only"
        if parse(one) != parse(other):
            return f"line {number} differs"
    return None


def compare(before: Path, after: Path) -> list[str]:
    """Differences between the result files in two folders, one sentence for each file that differs."""
    names = [
        {path.name for ending in ("*.tracks.jsonl", "*.mot.txt") for path in folder.glob(ending)}
        for folder in (before, after)
    ]
    found = [f"{name}: is in one of the folders only" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        difference = first_difference(before / name, after / name)
        if difference is not None:
            found.append(f"{name}: {difference}")
    return found if names[0] | names[1] else ["neither folder holds result files of posebus run"]


def main() -> None:
    """Print the differences between two folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("before", type=Path, help="folder of the first run")
    parser.add_argument("after", type=Path, help="folder of the second run")
    options = parser.parse_args()
    differences = compare(options.before, options.after)
    print("\n".join(differences) or "the tracks are the same")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
