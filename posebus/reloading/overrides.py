"""Values on top of those of the file, for changes of a running deployment that are not saved. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from posebus.config.problems import FieldPath
from posebus.config.settings import CameraSettings, Settings

CAMERAS = "cameras"


@dataclass(frozen=True, slots=True)
class LiveOverrides:
    """values: by field, as a path from the root. removed: cameras that do not run although the file has them."""

    values: Mapping[FieldPath, object] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.values or self.removed)

    def with_values(self, changes: Mapping[str, object], cameras: Collection[str]) -> LiveOverrides:
        """Return these overrides after `changes`, {"worker.conf": 0.2, "cameras.hall.paused": True}.

        None for a field withdraws its override. A mapping for a camera, {"cameras.hall": {"source": "usb:0"}}, adds it,
        or brings it back; None removes it. `cameras` are the names in force: a name may hold dots, too.
        """
        values, removed = dict(self.values), set(self.removed)
        for name, value in changes.items():
            path = field_path(name, cameras)
            if not _is_camera(path):
                values.pop(path, None)
                if value is not None:
                    values[path] = value
            elif isinstance(value, Mapping):
                removed.discard(path[1])
                values |= {(*path, str(key)): item for key, item in value.items()}
            else:
                values = {other: item for other, item in values.items() if other[:2] != path}
                removed |= {path[1]} if value is None else set()
                values |= {} if value is None else {path: value}  # which validation then refuses
        return LiveOverrides(values, frozenset(removed))

    def without_unknown_cameras(self, in_file: Collection[str]) -> LiveOverrides:
        """Return these overrides without those for cameras that neither the file nor an override defines."""
        defined = {path[1] for path in self.values if path[0] == CAMERAS and path[2:] == ("source",)}
        known = defined | set(in_file)
        values = {
            path: value
            for path, value in self.values.items()
            # Validation refuses a value for the whole section.
            if path[0] != CAMERAS or path == (CAMERAS,) or path[1] in known
        }
        return LiveOverrides(values, self.removed & frozenset(in_file))

    def for_loading(self) -> dict[str, object]:
        """Return the values as `posebus.config.loading` takes them from a command line."""
        cameras: dict[str, object] = {}
        plain: dict[str, object] = {}
        for path, value in self.values.items():
            if path[0] != CAMERAS or len(path) < 2:
                plain[".".join(path)] = value
            elif len(path) == 2:
                cameras[path[1]] = value
            else:
                fields = cameras.setdefault(path[1], {})
                assert isinstance(fields, dict)
                fields[path[2]] = value
        return {**plain, **({CAMERAS: cameras} if cameras else {})}

    def without_removed(self, settings: Settings) -> Settings:
        """Return `settings` without the cameras that were removed."""
        left = {name: camera for name, camera in settings.cameras.items() if name not in self.removed}
        return settings if len(left) == len(settings.cameras) else settings.model_copy(update={CAMERAS: left})


def field_path(name: str, cameras: Collection[str]) -> FieldPath:
    """Return the path that a dotted name means; cameras of `cameras` win over fields, as their names may hold dots.

    "cameras.hall.max_fps" is a field of the camera hall, "cameras.hall" the camera itself.
    """
    section, _, rest = name.partition(".")
    if section != CAMERAS or not rest:
        return tuple(name.split("."))
    camera, _, last = rest.rpartition(".")
    if rest in cameras or not camera or last not in CameraSettings.model_fields:
        return (CAMERAS, rest)
    return (CAMERAS, camera, last)


def _is_camera(path: FieldPath) -> bool:
    return path[0] == CAMERAS and len(path) == 2
