"""Kinds of sources, engines, sinks and rules that other packages add by entry points, beside those of posebus itself.

A package adds one by a line of its pyproject.toml::

    [project.entry-points."posebus.sources"]
    mykind = "mypackage.source:SPEC"

The line names a spec (of the type that the built-in ones have) or a function without parameters that returns one. A
template with one of each kind is in examples/plugin.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from posebus.errors import ConfigError

Spec = TypeVar("Spec")

GROUPS = ("posebus.sources", "posebus.engines", "posebus.sinks", "posebus.rules")
"""All groups of entry points that posebus reads."""

log = logging.getLogger("posebus.plugins")


def load_plugins(group: str, built_in: Mapping[str, Spec], spec_type: type[Spec]) -> Mapping[str, Spec]:
    """Return the specs by name: those of `built_in` first, then the plug-ins of the entry point group, by name.

    A plug-in is imported when its spec is first read, not when the names are listed. Reading one that cannot be
    imported, or that is no `spec_type`, raises ConfigError; the others stay usable. A name that is taken, by posebus or
    by another package, is left out with a warning.
    """
    points, clashes = _sorted_out(entry_points(group=group), built_in)
    for clash in clashes:
        log.warning("%s", clash)
    return _Plugins(built_in, points, spec_type)


@cache
def plugin_names(group: str) -> frozenset[str]:
    """Return the names of the plug-ins of the group, without importing them. The list is made once for a process."""
    return frozenset(point.name for point in entry_points(group=group))


def clashes(group: str, built_in: Iterable[str]) -> list[str]:
    """Return a sentence for each plug-in of the group that is left out because its name is taken."""
    return _sorted_out(entry_points(group=group), built_in)[1]


def describe(group: str, name: str) -> str:
    """Return the plug-in in words, with its package, for sentences; just its name if it is one of posebus."""
    points = [point for point in _in_order(entry_points(group=group)) if point.name == name]
    return _in_words(points[0]) if points else name


class _Plugins(Mapping[str, Spec]):
    """The lazily loaded mapping of `load_plugins`."""

    def __init__(self, built_in: Mapping[str, Spec], points: Mapping[str, EntryPoint], spec_type: type[Spec]) -> None:
        self._type = spec_type
        self._loaded = dict(built_in)
        self._points = points

    def __getitem__(self, name: str) -> Spec:
        if name not in self._loaded:
            self._loaded[name] = self._load(self._points[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._points

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._loaded, *self._points])

    def __len__(self) -> int:
        return len({*self._loaded, *self._points})

    def _load(self, point: EntryPoint) -> Spec:
        try:
            spec = point.load()
            if not isinstance(spec, self._type) and callable(spec):
                spec = spec()
        except Exception as error:
            raise ConfigError(f"{_in_words(point)} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(spec, self._type):
            raise ConfigError(f"{_in_words(point)} is of type {type(spec).__name__}, which is no {self._type.__name__}")
        own = getattr(spec, "name", getattr(spec, "kind", point.name))
        if own != point.name:
            raise ConfigError(f"{_in_words(point)} has another name in its {self._type.__name__}: {own}")
        return spec


def _sorted_out(points: Iterable[EntryPoint], built_in: Iterable[str]) -> tuple[dict[str, EntryPoint], list[str]]:
    """Return the plug-ins by name, and a sentence for each whose name is taken."""
    taken = dict.fromkeys(built_in, "posebus itself")
    chosen: dict[str, EntryPoint] = {}
    left_out = []
    for point in _in_order(points):
        if point.name in taken:
            left_out.append(f"{_in_words(point)} is left out: its name is that of {taken[point.name]}")
            continue
        taken[point.name] = _in_words(point)
        chosen[point.name] = point
    return chosen, left_out


def _in_order(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """By name, then by package, so that each process chooses the same of two.

    One that is found twice on the path counts once.
    """
    found = sorted(points, key=lambda point: (point.name, point.dist.name if point.dist else "", point.value))
    return list({(point.name, point.dist.name if point.dist else "", point.value): point for point in found}.values())


def _in_words(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"the plug-in {point.name} = {point.value} ({point.group}){package}"
