"""The section `defaults` of a configuration: fields of cameras that hold for all of them. A camera's own field wins.

It is resolved while the configuration is loaded, so that nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from posebus.config.cameras.camera_settings import CameraOptions

DEFAULTS = "defaults"

_Tree = dict[str, object]
_Error = Mapping[str, Any]


def resolved(tree: _Tree) -> tuple[_Tree, list[_Error]]:
    """Return `tree` without its `defaults`, which stand under each camera instead, and what is wrong with them.

    The errors are pydantic's, with the place in `tree`. What is wrong is left out under the cameras, or it would be
    reported once for each of them.
    """
    if DEFAULTS not in tree:
        return tree, []
    rest = {name: value for name, value in tree.items() if name != DEFAULTS}
    errors = list(_errors(tree[DEFAULTS]))
    cameras, given = rest.get("cameras"), tree[DEFAULTS]
    if not isinstance(given, dict) or not isinstance(cameras, dict):
        return rest, errors
    wrong = {error["loc"][1] for error in errors if len(error["loc"]) > 1}
    usable = {name: value for name, value in given.items() if name not in wrong}
    rest["cameras"] = {name: {**usable, **own} if isinstance(own, dict) else own for name, own in cameras.items()}
    return rest, errors


def _errors(given: object) -> Iterator[_Error]:
    try:
        CameraOptions.model_validate(given)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            yield {**one, "loc": (DEFAULTS, *one["loc"])}
