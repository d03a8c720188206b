"""The options of a built-in sink: a model with units and limits, and sentences for what is wrong."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from posebus.config.worker_settings import Strict
from posebus.errors import ConfigError
from posebus.plain_text import plain
from posebus.wording import did_you_mean

Model = TypeVar("Model", bound=Strict)


def read_options(model: type[Model], options: Mapping[str, Any], sink: str) -> Model:
    """The options of the sink `sink`. Raises ConfigError; it never quotes a value, which may be a secret."""
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        # A wrong name first: the option that it was meant to be is missing, too.
        found = error.errors(include_input=False, include_url=False)
        first = min(found, key=lambda one: one["type"] != "extra_forbidden")
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            hint = did_you_mean(where, model.model_fields) or f"its options are {known}"
            raise ConfigError(f"the sink {sink} has no option {plain(where)}: {hint}") from None
        if first["type"] == "missing":
            raise ConfigError(f"the sink {sink} needs the option {where}: {describe(model, where)}") from None
        text = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"the option {where} of the sink {sink} is wrong: {text}") from None


def trust(ca_file: Path | None, sink: str) -> ssl.SSLContext:
    """TLS that checks certificates by `ca_file`, or by the usual ones. Raises ConfigError for an unreadable file."""
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file.expanduser()))
    except OSError as error:
        raise ConfigError(f"the sink {sink} cannot read the certificates in {ca_file}") from error


def describe(model: type[Strict], name: str) -> str:
    """What an option is for."""
    field = model.model_fields.get(name)
    return (field.description or name) if field is not None else name
