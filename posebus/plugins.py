"""Kinds of sources and engines that other packages add by entry points, beside those that posebus has itself.

A package adds one by a line of its pyproject.toml::

    [project.entry-points."posebus.sources"]
    mykind = "mypackage.source:SPEC"

The line names a spec (of the type that the built-in ones have) or a function without parameters that returns one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from posebus.errors import ConfigError

Spec = TypeVar("Spec")


def load_plugins(group: str, built_in: Mapping[str, Spec]) -> Mapping[str, Spec]:
    """Return the specs by name: those of `built_in` first, then the plug-ins of the entry point group, by name.

    A plug-in is imported when its spec is first read, not when the names are listed. Reading one that cannot be
    imported, or that is no spec, raises ConfigError; the others stay usable. A built-in name cannot be replaced.
    """
    return _Plugins(group, built_in)


class _Plugins(Mapping[str, Spec]):
    """The lazily loaded mapping of `load_plugins`; the list of installed packages is read once, when it is made."""

    def __init__(self, group: str, built_in: Mapping[str, Spec]) -> None:
        self._group = group
        self._types = tuple({type(spec) for spec in built_in.values()})
        self._loaded = dict(built_in)
        found = sorted(entry_points(group=group), key=lambda point: point.name)
        self._points = {point.name: point for point in found if point.name not in built_in}

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
            if not isinstance(spec, self._types) and callable(spec):
                spec = spec()
        except Exception as error:
            raise ConfigError(f"{self._describe(point)} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(spec, self._types):
            wanted = " or ".join(sorted(kind.__name__ for kind in self._types))
            raise ConfigError(f"{self._describe(point)} is of type {type(spec).__name__}, which is no {wanted}")
        return spec

    def _describe(self, point: EntryPoint) -> str:
        package = f" of the package {point.dist.name} {point.dist.version}" if point.dist else ""
        return f"the plug-in {point.name} = {point.value} ({self._group}){package}"
