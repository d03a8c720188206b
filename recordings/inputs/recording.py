"""One recording of a run: whether it can be read, and what is known before it is analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from posebus.config.cameras.camera_settings import CameraOptions, CameraSettings
from posebus.config.local_files import same_for_children
from posebus.config.redaction import redact_url
from posebus.config.rules.reading import rules_to_json
from posebus.errors import SourceRejected
from posebus.runtime.failures import in_one_sentence
from posebus.square_pixels import square_size_px
from recordings.inputs.names import camera_names
from recordings.inputs.part import WHOLE, Part
from recordings.inputs.time_limit import within

OPEN_LIMIT_S = 60.0
"""A recording that gives no picture for so long never will; most give one within a second."""
OF_THE_SCENE = {
    *("rotate", "region", "rules", "privacy", "privacy_zones", "imgsz", "infer_fps", "motion_gate", "camera_motion"),
    *("recorded_at_ns", "ground", "actions"),
}
"""Fields of a camera that hold for its recordings, too."""
PICTURES = "images"
"""The kind of sources whose frames have no times of their own."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One video file, picture or folder of pictures.

    `name` names its files, `camera` its streams. `size_px` is the (width, height) of its first frame in square pixels,
    in which it is analysed. `frames_expected` is the number of frames in its header, None without one. `timed`: its
    frames have times, which single pictures and folders of pictures have not.
    """

    source: str
    name: str
    camera: str
    size_px: tuple[int, int]
    frames_expected: int | None
    timed: bool = True
    part: Part = WHOLE
    camera_options: CameraOptions | None = None
    """Settings of the camera that made it, as in `camera_settings`."""

    @property
    def settings(self) -> CameraSettings:
        """The settings that read it."""
        return camera_settings(self.source, self.part, self.camera_options)


def camera_settings(source: str, part: Part = WHOLE, options: CameraOptions | None = None) -> CameraSettings:
    """Return settings that read every frame of this part of `source`, as fast as the workers infer.

    `options` are those of a camera: what they say about its picture, its people and its rules holds for the recording
    as well. What they say about reading a camera does not. Raises SourceRejected if `source` is not a recording.
    """
    from ingest.sources import source_spec

    seen = {} if options is None else options.model_dump(include=OF_THE_SCENE)
    settings = CameraSettings(source=same_for_children(source), delivery="lossless", **{**seen, **part.fields()})
    if not source_spec(settings).recorded:
        raise SourceRejected(
            f"{redact_url(source)} is a camera or an address, not a recording on disk: "
            "put cameras into posebus.yaml and run `posebus up`"
        )
    return settings


def scene_fields(options: CameraOptions) -> dict[str, Any]:
    """Return what of a camera's settings decides about tracks and pictures of its recordings, as JSON for summaries.

    Without `privacy`: it changes no track, and showing heads is chosen anew for each run.
    """
    return options.model_dump(mode="json", include=OF_THE_SCENE - {"privacy"}, exclude_defaults=True)


def scene_of(fields: Mapping[str, Any] | None) -> CameraOptions | None:
    """Return the settings in `scene_fields`; None without. Raises ValueError for fields that are not those of a camera.

    A recording that is read without them shows its privacy zones.
    """
    return None if fields is None else CameraOptions.model_validate(fields)


def open_recordings(
    sources: Sequence[str],
    names: Sequence[str],
    suffix: str = "",
    part: Part = WHOLE,
    options: CameraOptions | None = None,
) -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings among `sources`, and for each of the others, by name, one sentence about its problem.

    `names` are those of their files. The names of the recordings' cameras end in `suffix`. `options` are as in
    `camera_settings`.
    """
    recordings: list[Recording] = []
    refused: dict[str, str] = {}
    for source, name, camera in zip(sources, names, camera_names(names, suffix), strict=True):
        try:
            recordings.append(open_recording(source, name, camera, part, options=options))
        except Exception as error:  # noqa: BLE001 - no input may keep the others from being analysed
            refused[name] = in_one_sentence(error, about=redact_url(source))
    return recordings, refused


def open_recording(
    source: str,
    name: str,
    camera: str,
    part: Part = WHOLE,
    limit_s: float = OPEN_LIMIT_S,
    options: CameraOptions | None = None,
) -> Recording:
    """Open `source` and decode the first frame of its `part`.

    Raises SourceRejected or BadPicture if that fails or takes too long, and ConfigError for rules that do not fit.
    """
    settings = camera_settings(source, part, options)
    found = within(limit_s, lambda: _look_at(settings, source, name, camera), f"open {name}")
    if found is None:
        raise SourceRejected(
            f"{redact_url(source)} gave no picture within {limit_s:g} s; can its disk or server be reached?"
        )
    return replace(found, part=part, camera_options=options)


def _look_at(settings: CameraSettings, source: str, name: str, camera: str) -> Recording:
    from ingest.sources import open_source, source_kind

    opened = open_source(settings)
    try:
        picture = opened.read()
    finally:
        opened.close()
    if picture is None:
        raise SourceRejected(f"{redact_url(source)} holds no frame that can be decoded")
    if settings.rules:
        from tracking.rules import Rules

        Rules(rules_to_json(settings.rules), camera, picture.image.size_px)  # raises for points outside the picture
    return Recording(
        source=source,
        name=name,
        camera=camera,
        size_px=square_size_px(picture.image.size_px, picture.image.pixel_aspect),
        frames_expected=opened.frame_count,
        timed=source_kind(settings) != PICTURES,
    )
