"""Settings from the environment: POSEBUS_REDIS, POSEBUS_WORKER__IMGSZ, POSEBUS_CAMERAS__HALL__SOURCE.

A variable's name is the path of the field in capitals, with a double underscore between the levels. An empty value
counts as not set, since compose files write `${NAME:-}`. A camera name matches one of the file regardless of case, and
with `_` for the `-` and `.` that environment variables cannot contain; a name without a match is a new camera.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from posebus.config.problems import FieldPath, Problem, SourceLocation, section_at
from posebus.wording import did_you_mean

PREFIX = "POSEBUS_"
RESERVED = frozenset(
    {
        "POSEBUS_CAMERA_PASSWORD",
        "POSEBUS_CONTROL_DIR",
        "POSEBUS_CAMERA_STATES",
        "POSEBUS_DEBUG",
        "POSEBUS_HEALTH_DIR",
        "POSEBUS_LIVENESS_FILE",
        "POSEBUS_PARENT_PID",
        "POSEBUS_RUN",
    }
)
"""Variables that are not settings: a password for `posebus camera`, folders of the control sockets and of `posebus
health`, whether commands show tracebacks, and what a supervisor sets for its children."""


def read_environment(
    environ: Mapping[str, str], camera_names: Iterable[str]
) -> tuple[dict[FieldPath, str], dict[FieldPath, SourceLocation], list[Problem]]:
    """Values by field, the variable that each value came from, and problems with the names of variables."""
    values: dict[FieldPath, str] = {}
    locations: dict[FieldPath, SourceLocation] = {}
    problems: list[Problem] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in RESERVED or not environ[variable]:
            continue
        location = SourceLocation("", variable)
        path = _path_of(variable, camera_names)
        if path is None:
            problems.append(Problem(location, "there is no such setting", _suggest(variable)))
        elif section_at(path) is not None or path == ("cameras",):
            camera = path[1] if len(path) > 1 else "NAME"
            group = f"{variable}__".upper()  # names are case-sensitive everywhere but on Windows
            example = next((name for name in _known_variables(camera) if name.upper().startswith(group)), f"{group}…")
            problems.append(Problem(location, "is a group of settings", f"set one of its fields, like {example}"))
        else:
            values[path] = environ[variable]
            locations[path] = location
    return values, locations, problems


def _path_of(variable: str, camera_names: Iterable[str]) -> FieldPath | None:
    parts = variable.removeprefix(PREFIX).split("__")
    head, rest = parts[0].lower(), parts[1:]
    if head == "cameras" and rest:
        path: FieldPath = (head, _camera_name(rest[0], camera_names), *(part.lower() for part in rest[1:]))
    else:
        path = (head, *(part.lower() for part in rest))
    section = section_at(path[:-1])
    known = section is not None and path[-1] in section.model_fields
    return path if known or section_at(path) is not None else None


def _camera_name(written: str, camera_names: Iterable[str]) -> str:
    same = [name for name in camera_names if re.sub(r"[.-]", "_", name).upper() == written.upper()]
    if written in same or len(same) != 1:
        return written if written in same else written.lower()
    return same[0]


def _suggest(variable: str) -> str:
    parts = variable.split("__")
    return did_you_mean(variable, _known_variables(parts[1] if len(parts) > 1 else "NAME"))


def _known_variables(camera: str) -> Iterator[str]:
    root = section_at(())
    for name in root.model_fields if root else ():
        path = (name, camera) if name == "cameras" else (name,)
        section = section_at(path)
        stem = PREFIX + "__".join(path).upper()
        if section is None:
            yield stem
        else:
            yield from (f"{stem}__{field.upper()}" for field in section.model_fields)
