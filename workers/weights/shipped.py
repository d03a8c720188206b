"""Networks that come with an image, already exported: a worker without torch and ultralytics cannot export any.

`python -m workers.weights.shipped FOLDER` writes the default network there, when the image is built.
"""

from __future__ import annotations

import sys
from pathlib import Path

from posebus.config.worker_settings import WorkerSettings

SHIPPED = Path(sys.prefix) / "share" / "posebus"
"""Where images have such networks, arranged like the cache folder. It is searched after that."""


def ship(folder: Path) -> None:
    """Write the export of the default network into `folder`."""
    from workers.weights.export import export_onnx
    from workers.weights.weights import resolve_weights

    export_onnx(resolve_weights(WorkerSettings().model, allow_unknown=False, cache_dir=folder), folder)


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
