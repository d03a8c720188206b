"""Export weights to one ONNX file, which all engines that read ONNX share.

Batch, height and width are free in the file; an engine fixes them when it compiles the network for its frames.
"""

from __future__ import annotations

import ast
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from posebus.contract.foreign_json import WRONG_DATA, load_object
from posebus.errors import EngineError, MalformedMessage, WeightsError
from posebus.machine.scratch import cache_scratch
from workers.detections import Head
from workers.weights.shipped import SHIPPED
from workers.weights.ultralytics_process import run_child
from workers.weights.weights import Weights, sha256_of

EXPORT_VERSION = 1
"""Part of the cached file's name: increase it when the export changes, so that old files are not used."""

EXPORT_TIMEOUT_S = 600.0

REFUSALS = {
    "pose": "not for poses: choose weights whose name ends in -pose",
    "segment": "not for masks: choose weights whose name ends in -seg",
}
"""The end of the error for a model of another task, by the task that is needed (as ultralytics names it)."""

PEOPLE = "person"
"""COCO's name of the class of people."""

HEAD_SUFFIX = ".head"
HEAD_PROPERTIES = ("task", "names", "kpt_shape", "stride", "end2end")


def exported_path(weights: Weights, cache_dir: Path) -> Path:
    """Return the path at which the export of `weights` is cached."""
    return cache_dir / "engines" / f"{weights.name}-{weights.sha256[:16]}-v{EXPORT_VERSION}.onnx"


def export_onnx(weights: Weights, cache_dir: Path, task: str = "pose") -> Path:
    """Return the ONNX file of `weights`, exported by ultralytics in a child process unless it is cached or shipped.

    `task` is one of `REFUSALS`. Processes that start together wait for one export under a file lock; the file appears
    complete or not at all. Raises WeightsError for a model of another task, EngineError where the export or writing the
    cache fails.
    """
    target = exported_path(weights, cache_dir)
    with storing_in(target.parent), locked(target):
        if not target.is_file():
            shipped = exported_path(weights, SHIPPED)
            if shipped.is_file():
                _copy(shipped, target)
            else:
                _export(weights, target, task)
    return target


@contextmanager
def storing_in(folder: Path) -> Iterator[None]:
    """Make `folder`; raises EngineError for errors of the operating system there and inside the block."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise EngineError(
            f"the exported network cannot be stored in {folder} ({error.strerror}): "
            "check its permissions and free space, or set another cache_dir"
        ) from error


@contextmanager
def locked(network: Path) -> Iterator[None]:
    """Lock the files made of one network against other processes; the system releases the lock of a dead process."""
    with network.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _copy(shipped: Path, target: Path) -> None:
    """Copy rather than use it in place: the head, and what engines compile from it, are kept beside it."""
    with cache_scratch(target.parent) as scratch:
        shutil.copyfile(shipped, scratch / target.name)
        (scratch / target.name).replace(target)


def _export(weights: Weights, target: Path, task: str) -> None:
    with cache_scratch(target.parent) as scratch:
        # ultralytics writes beside its input, hence the copy. It is hashed again, because the copy gets unpickled.
        copy = scratch / weights.path.name
        shutil.copyfile(weights.path, copy)
        if sha256_of(copy) != weights.sha256:
            raise WeightsError(f"{weights.path} changed while it was being read: start again once the file is complete")
        arguments = ["export", str(copy), task, REFUSALS[task]]
        run_child(arguments, scratch, online=False, timeout_s=EXPORT_TIMEOUT_S)
        copy.with_suffix(".onnx").replace(target)


def read_head(path: Path, task: str = "pose") -> Head:
    """Return the head of an exported network for `task`, from the metadata that ultralytics writes into the ONNX file.

    The metadata is cached in a small file beside it: importing onnx would add 0.1 s to every start of a worker.
    """
    kept = path.with_suffix(HEAD_SUFFIX)
    try:
        found = load_object(kept.read_bytes(), kept.name)
        if found.pop("network") == _stamp(path):
            return head_from_metadata(found, path.name, task)
    except (OSError, *WRONG_DATA, MalformedMessage, EngineError):
        pass
    properties = _metadata(path)
    head = head_from_metadata(properties, path.name, task)
    # This only saves time: if the file cannot be written, the next start reads the network again.
    with suppress(OSError), cache_scratch(path.parent) as scratch:
        partial = scratch / kept.name
        facts = {name: properties[name] for name in HEAD_PROPERTIES if name in properties}
        partial.write_text(json.dumps({"network": _stamp(path), **facts}))
        partial.replace(kept)
    return head


def _stamp(path: Path) -> list[int]:
    """Return values that change when another network is written to `path`."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _metadata(path: Path) -> dict[str, str]:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        network = onnx.load(str(path), load_external_data=False)
    except DecodeError as error:
        raise EngineError(f"{path} is damaged: delete it so that it is exported again") from error
    return {item.key: item.value for item in network.metadata_props}


def head_from_metadata(properties: Mapping[str, str], where: str, task: str = "pose") -> Head:
    """Return the `Head` from ultralytics' ONNX metadata.

    Raises WeightsError for a model of another task than `task` or without one, and for a segmentation model without a
    class of people; EngineError where other metadata is missing.
    """
    found = properties.get("task", "unknown")
    if found != task:
        raise WeightsError(f"{where} is a model for {found}, {REFUSALS[task]}")
    try:
        names = ast.literal_eval(properties["names"])
        keypoints, dims = ast.literal_eval(properties["kpt_shape"]) if task == "pose" else (0, 3)
        return Head(
            classes=len(names),
            keypoints=int(keypoints),
            keypoint_dims=int(dims),
            end_to_end=properties.get("end2end", "False") == "True",
            stride=int(properties["stride"]),
            mask_class=_class_of_people(names, where) if task == "segment" else None,
        )
    except (KeyError, ValueError, TypeError, SyntaxError) as error:
        raise EngineError(f"{where} has no ultralytics metadata: delete it so that it is exported again") from error


def _class_of_people(names: Mapping[int, str], where: str) -> int:
    """Return the number of the class of people: the only class, or the one with COCO's name."""
    found = [number for number, name in names.items() if name == PEOPLE or len(names) == 1]
    if not found:
        raise WeightsError(f"{where} does not outline people: choose weights that have a class {PEOPLE!r}")
    return int(found[0])
