"""Schemas of single values, and what all schemas have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.messages import SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def head(name: str, title: str) -> Schema:
    """The first fields of a schema: dialect, identifier and title."""
    return {"$schema": DIALECT, "$id": f"urn:posebus:schema:{name}:{SCHEMA_VERSION}", "title": title}


def object_of(properties: Schema, added: Schema | None = None) -> Schema:
    """`added`: optional fields, such as those that are newer than the schema version: older messages lack them."""
    # Unknown fields are allowed, so that old consumers can read messages of later releases.
    return {"type": "object", "properties": {**properties, **(added or {})}, "required": list(properties)}


def whole(description: str) -> Schema:
    """A whole number from 0."""
    return {"type": "integer", "minimum": 0, "description": description}


def score(description: str) -> Schema:
    """A number from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def choice(values: type[StrEnum], description: str) -> Schema:
    """One of the values of an enumeration."""
    return {"enum": [value.value for value in values], "description": description}


def numbers(count: int, description: str) -> Schema:
    """A list of `count` numbers."""
    return {
        "description": description,
        "type": "array",
        "items": {"type": "number"},
        "minItems": count,
        "maxItems": count,
    }


def keypoint() -> Schema:
    """A keypoint: x, y, confidence."""
    number = {"type": "number"}
    return {"type": "array", "prefixItems": [number, number, score("Confidence")], "minItems": 3, "maxItems": 3}


def lineage() -> Schema:
    """The fields that name the frame of a message."""
    return {
        "camera": {"type": "string", "pattern": CAMERA_NAME_PATTERN},
        "epoch": whole("One run of the camera's source"),
        "seq": whole("Number of the frame within its epoch, from 0"),
    }
