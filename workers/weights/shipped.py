"""Networks that come with an image, already exported: a worker without torch and ultralytics cannot export any.

`python -m workers.weights.shipped FOLDER` writes the default network there, when the image is built.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from posebus.config.worker_settings import WorkerSettings

SHIPPED = Path(sys.prefix) / "share" / "posebus"
"""Where images have such networks, arranged like the cache folder. It is searched after that."""


def ship(folder: Path) -> None:
    """Write the weights of the default network, and their export, into `folder`."""
    from workers.weights.export import export_onnx
    from workers.weights.weights import resolve_weights

    model = WorkerSettings().model
    weights = resolve_weights(model, allow_unknown=False, cache_dir=folder)
    export_onnx(weights, folder)
    kept = folder / "weights" / f"{weights.name}.pt"
    kept.parent.mkdir(exist_ok=True)
    shutil.copyfile(weights.path, kept)


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
