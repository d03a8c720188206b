"""The setting `actions` of a camera: whether a classifier tells what people do, and which one."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

OFF, BUILTIN = "off", "builtin"
ONNX = ".onnx"
LONGEST = 4096


def checked_actions(setting: str) -> str:
    """Return `setting`. Raises ValueError for one that no classifier has; the file is looked for by the tracker."""
    if setting in (OFF, BUILTIN):
        return setting
    if not setting.lower().endswith(ONNX) or not setting.isprintable() or len(setting) > LONGEST:
        raise ValueError("must be off, builtin, or the path of a file that ends with .onnx")
    return setting


ActionsField = Annotated[str, AfterValidator(checked_actions)]
