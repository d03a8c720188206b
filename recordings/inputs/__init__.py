"""The inputs of a run: what arguments name, the names of their files, and opening them."""

from recordings.inputs.names import UniqueNames, camera_names, file_names
from recordings.inputs.part import WHOLE, Part
from recordings.inputs.recording import OF_THE_SCENE, Recording, camera_settings, open_recording, open_recordings

__all__ = [
    "OF_THE_SCENE",
    "WHOLE",
    "Part",
    "Recording",
    "UniqueNames",
    "camera_names",
    "camera_settings",
    "file_names",
    "open_recording",
    "open_recordings",
]
