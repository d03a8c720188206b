"""The fields of a camera that a page may see and set, checked as the configuration checks them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.editing.yaml_edits import REMOVED
from posebus.config.loading import check_settings
from posebus.config.redaction import harmless, redact_url
from wall.editing.allowed_sources import checked_source
from wall.editing.answers import Refused

FIELDS = (
    "source",
    "kind",
    "max_fps",
    "rotate",
    "schedule",
    "delivery",
    "loop",
    "realtime",
    "imgsz",
    "infer_fps",
    "motion_gate",
    "rtsp_transport",
    "actions",
)
"""Others, such as what is hidden in pictures and which files a playlist may name, are changed in the file alone."""
ACTIONS = ("off", "builtin")
"""A page names no network of its own, which would be a file on the tracker's machine."""


def shown_fields(camera: CameraSettings) -> dict[str, Any]:
    """Return the fields of a camera for a page; its address is without credentials."""
    values = camera.model_dump(mode="json", include=set(FIELDS))
    values["source"] = redact_url(camera.source)
    if values["actions"] not in ACTIONS:
        values["actions"] = harmless(str(values["actions"]))
    return {name: values[name] for name in FIELDS}


def new_fields(name: str, fields: Mapping[str, Any], folders: list[Path]) -> dict[str, object]:
    """Return the fields of a new camera as they are written. Raises Refused with the path of the wrong field."""
    _check_names(fields)
    given = {key: value for key, value in fields.items() if value is not None}
    if not isinstance(given.get("source"), str) or not given["source"].strip():
        raise Refused(400, "write the address of the camera", path="source")
    given["source"] = checked_source(given["source"].strip(), _kind(given.get("kind", "auto")), folders)
    _check_together(name, given)
    return given


def changed_fields(
    name: str, fields: Mapping[str, Any], camera: CameraSettings, folders: list[Path]
) -> dict[str, object]:
    """Return the fields that differ from those of `camera`, as they are written; null goes back to the default.

    An address that is still the one the page was shown stays as it is in the file, with its password.
    """
    _check_names(fields)
    before = camera.model_dump(mode="json", include=set(FIELDS))
    shown = shown_fields(camera)
    given = {key: value for key, value in fields.items() if value not in (before[key], shown[key])}
    if "source" in given:
        if not isinstance(given["source"], str) or not given["source"].strip():
            raise Refused(400, "write the address of the camera", path="source")
        given["source"] = given["source"].strip()
    if "source" in given or "kind" in given:
        # Another kind opens the same text as something else, such as a file.
        kind = given["kind"] if given.get("kind") is not None else ("auto" if "kind" in given else camera.kind)
        checked = checked_source(given.get("source", camera.source), _kind(kind), folders)
        if "source" in given:
            given["source"] = checked
    kept = {key: value for key, value in given.items() if value is not None}
    everything = camera.model_dump(mode="json")
    _check_together(name, {key: value for key, value in everything.items() if key not in given} | kept)
    return {key: REMOVED if value is None else value for key, value in given.items()}


def _kind(value: object) -> str:
    if not isinstance(value, str):
        raise Refused(400, "the kind must be a text", path="kind")
    return value


def _check_names(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in FIELDS:
            raise Refused(400, f"{harmless(name, 60)} is not changed from a page: write it into the file", path=name)
    if fields.get("actions") not in (*ACTIONS, None):
        raise Refused(400, f"actions must be one of {', '.join(ACTIONS)} here", path="actions")


def _check_together(name: str, values: Mapping[str, Any]) -> None:
    checked = check_settings(None, {}, {"cameras": {name: dict(values)}})
    if checked.settings is not None:
        return
    begin = f"cameras.{name}."
    found = []
    for problem in checked.problems:
        where = problem.location.field
        told = f"{problem.problem}; {problem.suggestion}" if problem.suggestion else problem.problem
        found.append((where.removeprefix(begin) if where.startswith(begin) else "name", told))
    path, sentence = found[0]
    problems = [{"path": where, "sentence": told} for where, told in found]
    raise Refused(400, sentence, path=path, problems=problems)
