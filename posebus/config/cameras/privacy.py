"""What pictures of a camera do not show: heads in those that are drawn, and zones in all. Read and checked. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from posebus.config.cameras.region import SCHEMA_POLYGON, SCHEMA_POLYGONS, Region, read_region

Privacy = Literal["heads", "none"]
"""`heads`: they are blurred in every picture that is drawn and in every snapshot. `none`: nothing is hidden."""
HEADS: Privacy = "heads"
NO_PRIVACY: Privacy = "none"


def read_zones(value: object) -> Region:
    """Return the polygons in `value`, as `read_region` reads them; none for null and for an empty list.

    Raises ValueError for anything else that is no region.
    """
    if isinstance(value, list | tuple) and not value:
        return ()
    return read_region(value) or ()


ZonesField = Annotated[
    Region,
    BeforeValidator(read_zones),
    WithJsonSchema(
        {"anyOf": [SCHEMA_POLYGON, {**SCHEMA_POLYGONS, "minItems": 0}, {"type": "null"}]},
    ),
]
"""The type of the setting; a single polygon may stand without the list around it."""
