"""The live part of the wall: one reader of the broker for everybody who watches."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wall.context import WallContext


class Hub:
    """Reads tracks, events and states while the wall runs, and pictures while somebody looks at them."""

    def __init__(self, context: WallContext) -> None:
        self._context = context

    async def __aenter__(self) -> Hub:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
