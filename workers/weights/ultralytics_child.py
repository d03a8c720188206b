"""Export or download weights; runs by path in a child process (see `ultralytics_process`).

It imports ultralytics and nothing of this project.

ultralytics_child.py export WEIGHTS.pt TASK REFUSAL   writes WEIGHTS.onnx beside it (any batch, height and width); for a
                                                     model of another task it prints an error that ends in REFUSAL
ultralytics_child.py download NAME.pt                 downloads the released weights into the working folder
"""

from __future__ import annotations

import sys
from pathlib import Path

OF_ANOTHER_TASK = 3


def export(weights: Path, task: str, refusal: str) -> int:
    """Export to ONNX with free batch, height and width, so that one file serves every frame size and engine."""
    from ultralytics import YOLO

    model = YOLO(str(weights))
    if model.task != task:
        sys.stderr.write(f"\n{weights.name} is a model for {model.task}, {refusal}\n")
        return OF_ANOTHER_TASK
    model.export(format="onnx", dynamic=True, simplify=True, device="cpu")
    return 0


def download(name: str) -> int:
    """Download released weights with ultralytics."""
    from ultralytics.utils.downloads import attempt_download_asset

    return 0 if Path(attempt_download_asset(name)).is_file() else 1


def main(arguments: list[str]) -> int:
    """Run one command; the exit status tells the parent what happened."""
    command, operand, *terms = arguments
    return export(Path(operand), *terms) if command == "export" else download(operand)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
