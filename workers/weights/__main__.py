"""`python -m workers.weights CACHE_FOLDER`: make the pose network that browsers run, and print the path of its file."""

from __future__ import annotations

import sys
from pathlib import Path

from posebus.errors import PoseBusError
from workers.weights.export import export_onnx
from workers.weights.weights import resolve_weights

MODEL = "yolo11n-pose"
"""The smallest of its family: phones run it."""


def main() -> None:
    """Print the path, or the sentence of what went wrong on standard error, and exit."""
    cache = Path(sys.argv[1])
    try:
        weights = resolve_weights(MODEL, allow_unknown=False, cache_dir=cache)
        sys.stdout.write(f"{export_onnx(weights, cache)}\n")
    except PoseBusError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
