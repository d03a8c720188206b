"""Options of a command in groups: one parameter of the function for many options of the command line.

A group is a frozen dataclass whose fields are options, `Annotated[type, typer.Option(...)]` with a default. Typer knows
no such parameters, but it reads the signature of a command: `grouped` puts the fields of a group in place of the group.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Sets:
    """Metadata of an option: the field of the settings that it overrides, with dots, like `worker.imgsz`."""

    field: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Metadata of a parameter: the options of its group that the command offers; the others keep their defaults.

    The options in `first` come first, in this order. Unless `others` is False, the rest of the group follows in its
    own order, except the options in `without`.
    """

    first: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    others: bool = True

    def names(self, group: type) -> list[str]:
        """Return the names of the fields of `group` that are offered, in the order of the help."""
        fields = [field.name for field in dataclasses.fields(group)]
        unknown = {*self.first, *self.without} - set(fields)
        if unknown:
            raise TypeError(f"{group.__name__} has no option {', '.join(sorted(unknown))}")
        rest = [name for name in fields if name not in {*self.first, *self.without}]
        return [*self.first, *(rest if self.others else [])]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with a signature that typer can read: the options of each group in place of the group.

    From the first group on, the parameters of the result are keyword-only. Raises ValueError if two of them have the
    same name, and TypeError if an `Offer` names an option that its group does not have.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[type, list[str]]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        group = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if isinstance(group, type) and dataclasses.is_dataclass(group):
            names = _offer(hint).names(group)
            groups[parameter.name] = group, names
            parameters += _options(group, names)
        else:
            kind = inspect.Parameter.KEYWORD_ONLY if groups else parameter.kind
            parameters.append(parameter.replace(kind=kind, annotation=hint))
    signature = inspect.Signature(parameters)

    @functools.wraps(command)
    def with_groups(*args: Any, **kwargs: Any) -> None:
        values = signature.bind(*args, **kwargs).arguments
        for name, (group, options) in groups.items():
            values[name] = group(**{option: values.pop(option) for option in options if option in values})
        command(**values)

    with_groups.__signature__ = signature  # type: ignore[attr-defined]
    with_groups.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_groups


def overrides(*groups: object) -> dict[str, object]:
    """Return the values of the options of `groups` by the fields that they set; None for options not given."""
    return {
        sets.field: getattr(group, name)
        for group in groups
        for name, hint in get_type_hints(type(group), include_extras=True).items()
        for sets in _extras(hint)
        if isinstance(sets, Sets)
    }


def _options(group: type, names: list[str]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    defaults = {field.name: field.default for field in dataclasses.fields(group)}
    for name in names:
        required = defaults[name] is dataclasses.MISSING
        yield inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if required else defaults[name],
            annotation=hints[name],
        )


def _offer(hint: Any) -> Offer:
    return next((extra for extra in _extras(hint) if isinstance(extra, Offer)), Offer())


def _extras(hint: Any) -> tuple[Any, ...]:
    """Return the metadata in `Annotated[type, ...]`."""
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()
