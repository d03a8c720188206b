"""A value on the command line, read as in a configuration file."""

from __future__ import annotations

from typing import Any


def yaml_value(text: str) -> Any:
    """Return `text` as a value of YAML; text that YAML cannot read stays as it is."""
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date that no calendar has
        return text
