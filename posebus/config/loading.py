"""The settings of a run: YAML file, then environment, then command line, each overriding the one before.

All problems are found in one pass and reported with their locations, so that a file is corrected once, not ten times.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from posebus.config.cameras.defaults import resolved
from posebus.config.environment import read_environment
from posebus.config.problems import FieldPath, Problem, SourceLocation, problem_from_error, section_at
from posebus.config.rules.reading import without_tags
from posebus.config.settings import CAMERA_NAME_PATTERN, Settings
from posebus.config.yamlfile import YamlFile
from posebus.errors import ConfigError, OutputError

CACHE_DIR_ENV = "POSEBUS_CACHE_DIR"

_Tree = dict[str, object]


@dataclass(frozen=True, slots=True)
class Checked:
    """The settings if they have no problem, else None and all problems.

    locate: tells where a field was given. in_file: tells whether the file itself has a field.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    locate: Callable[[FieldPath], SourceLocation] = lambda path: SourceLocation("", ".".join(path))
    in_file: Callable[[FieldPath], bool] = lambda path: False


def load_settings(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """The settings from `path` (None: no file), `environ` and `overrides`.

    overrides: values of command-line options by dotted field, {"worker.imgsz": 960}; None means not given. A mapping
    under "cameras" adds cameras. Raises ConfigError with all problems.
    """
    checked = check_settings(path, environ, overrides)
    if checked.settings is None:
        raise ConfigError(describe(checked.problems))
    return checked.settings


def check_settings(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object], content: bytes | None = None
) -> Checked:
    """Like `load_settings`, but returns the problems; raises ConfigError only if the file cannot be read.

    content: what was read from `path`, if it was; the file may have changed since.
    """
    file = YamlFile(path, content) if path is not None else None
    problems = list(file.problems) if file is not None else []
    tree: _Tree = {}
    if file is not None and file.data is not None:
        if not isinstance(file.data, dict):
            return Checked(
                None, (*problems, Problem(file.location_of(()), "must hold fields like 'cameras:' and 'worker:'"))
            )
        tree = _without_empty_sections(file.data)
    cameras = tree.get("cameras")
    values, locations, unknown = read_environment(environ, list(cameras) if isinstance(cameras, dict) else [])
    problems += unknown
    for field_path, text in values.items():
        _put(tree, field_path, text)
    for name, value in overrides.items():
        if value is not None:
            field_path = tuple(name.split("."))
            _put(tree, field_path, value)
            if isinstance(value, Mapping):  # no option has the name of a section
                locations |= {one: SourceLocation("", ".".join(one)) for one in _given(field_path, value, file)}
            else:
                locations[field_path] = SourceLocation("", "--" + field_path[-1].replace("_", "-"))
    settings, invalid = _validate(tree, file, locations)
    problems += invalid
    locate = partial(_location, file=file, locations=locations)
    in_file = (lambda path: False) if file is None else file.has
    return Checked(None if problems else settings, in_order(problems), locate, in_file)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems in the order of the file, then those that are not in it."""
    places = ((problem.location.line, problem.location.column, problem) for problem in problems)
    return tuple(problem for _, _, problem in sorted(places, key=lambda place: (place[0] is None, *place[:2])))


def describe(problems: tuple[Problem, ...]) -> str:
    """One problem as a sentence, several as a list with one problem per line."""
    if len(problems) == 1:
        return str(problems[0])
    return "\n  ".join([f"{len(problems)} mistakes in the configuration:", *map(str, problems)])


def dump_settings(settings: Settings, path: Path) -> None:
    """Write `settings` for a child process to load. Only the owner may read the file, which can contain passwords.

    A file that was there is replaced as a whole, as a child may read it at any time. Raises OutputError if the file
    cannot be written.
    """
    import yaml

    # All characters beyond ASCII are escaped: YAML readers refuse some that paths may contain.
    # libyaml, if PyYAML has it, is ten times as fast, and a running deployment must not wait.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(settings.model_dump(mode="json"), Dumper=dumper, sort_keys=False, allow_unicode=False)
    new = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise OutputError(f"the settings cannot be written to {path}: {error.strerror}") from None


def cache_folder(settings: Settings | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The folder that keeps exported engines and compiled kernels between runs.

    It is the one in `settings`; else the one that `environ` names under CACHE_DIR_ENV; else ~/.cache/posebus.
    """
    configured = settings.cache_dir if settings is not None else None
    named = (environ or {}).get(CACHE_DIR_ENV) or "~/.cache/posebus"
    return (configured or Path(named)).expanduser()


def _validate(
    tree: _Tree, file: YamlFile | None, locations: Mapping[FieldPath, SourceLocation]
) -> tuple[Settings | None, list[Problem]]:
    problems: list[Problem] = []
    tree, wrong_defaults = resolved(tree)
    tree, renamed = _replace_bad_names(tree)
    for stand_in, name in renamed.items():
        location = _location(("cameras", name), file, locations)
        problem = "is not an allowed camera name: use 1 to 63 letters, digits, '.', '_' or '-', first a letter or digit"
        shown = SourceLocation(location.where, f"cameras.{name!r}", location.line, location.column)
        problems.append(Problem(shown, problem, f"for example '{_allowed_name(name)}'" if stand_in else ""))
    settings, errors = None, wrong_defaults
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        errors = [*wrong_defaults, *error.errors(include_url=False)]
    for entry in errors:
        path = tuple(renamed.get(str(part), str(part)) for part in without_tags(entry["loc"]) if part != "[key]")
        if file is not None and any(path[:length] in file.unreadable for length in range(len(path) + 1)):
            continue
        about = _named_first(entry["msg"]) or path
        problems.append(problem_from_error(entry, about, _location(about, file, locations)))
    return settings, problems


def _replace_bad_names(tree: _Tree) -> tuple[_Tree, dict[str, str]]:
    """`tree` with stand-ins for camera names that are not allowed, so that problems in their fields are found, too.

    Also returns the original name of each stand-in.
    """
    cameras = tree.get("cameras")
    if not isinstance(cameras, dict):
        return tree, {}
    bad = [name for name in cameras if not re.match(CAMERA_NAME_PATTERN, name)]
    renamed = {f"stand-in.{number}": name for number, name in enumerate(bad)}
    while any(stand_in in cameras for stand_in in renamed):
        renamed = {f"{stand_in}.x": name for stand_in, name in renamed.items()}
    stand_ins = {name: stand_in for stand_in, name in renamed.items()}
    return {**tree, "cameras": {stand_ins.get(name, name): value for name, value in cameras.items()}}, renamed


def _allowed_name(name: str) -> str:
    """An allowed name similar to `name`. Nothing is taken from an address, which may contain a password."""
    if "://" in name or "@" in name:
        return "camera1"
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]+", "-", name))[:63].rstrip("-") or "camera1"


def _named_first(message: str) -> FieldPath:
    """The field that the message of a rule about several fields begins with; pydantic passes on only the message."""
    words = message.removeprefix("Value error, ").split()
    path = tuple(words[0].split(".")) if words else ()
    section = section_at(path[:-1])
    return path if section is not None and path[-1] in section.model_fields else ()


def _location(path: FieldPath, file: YamlFile | None, locations: Mapping[FieldPath, SourceLocation]) -> SourceLocation:
    """Where `path` was given; environment and command line override the file, so they are searched first."""
    for length in range(len(path), 0, -1):
        if path[:length] in locations:
            return locations[path[:length]]
    field = path
    while field and field[-1].isdecimal():  # places in a list, which the file does not know by name
        field = field[:-1]
    if file is not None and file.has(field[:-1]):
        return file.location_of(path)
    return SourceLocation("", ".".join(path))


def _put(tree: _Tree, path: FieldPath, value: object) -> None:
    """Set `path` in `tree`, merging mappings. A value that is in the way stays; validation then reports it."""
    *above, name = path
    for part in above:
        node = tree.get(part, {})
        if not isinstance(node, dict):
            return
        tree[part] = copied = dict(node)  # a copy: with an alias in the file, two cameras share one mapping
        tree = copied
    if isinstance(value, Mapping):
        for key, item in value.items():
            _put(tree, (name, str(key)), item)
    else:
        tree[name] = value


def _given(path: FieldPath, value: Mapping[object, object], file: YamlFile | None) -> Iterator[FieldPath]:
    """The fields in `value`, which is at `path`, and the sections that `file` does not have."""
    for key, item in value.items():
        inner = (*path, str(key))
        if isinstance(item, Mapping):
            yield from _given(inner, item, file)
            if file is not None and file.has(inner):
                continue
        yield inner


def _without_empty_sections(tree: _Tree) -> _Tree:
    """`tree` without null sections: YAML reads a heading as null if all lines below are comments; defaults apply."""
    return {
        name: value
        for name, value in tree.items()
        if value is not None or (section_at((name,)) is None and name != "cameras")
    }
