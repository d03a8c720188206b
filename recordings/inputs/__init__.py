"""The inputs of a run: what arguments name, the names of their files, and opening them."""

from recordings.inputs.names import UniqueNames, camera_names, file_names
from recordings.inputs.part import WHOLE, Part
from recordings.inputs.recording import (
    Recording,
    camera_settings,
    open_recording,
    open_recordings,
    scene_fields,
    scene_of,
)

__all__ = [
    "WHOLE",
    "Part",
    "Recording",
    "UniqueNames",
    "camera_names",
    "camera_settings",
    "file_names",
    "open_recording",
    "open_recordings",
    "scene_fields",
    "scene_of",
]
