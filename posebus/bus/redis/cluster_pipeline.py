"""Pipelines and transactions of a Redis Cluster: each goes to the node that has its first key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import exceptions

from posebus.bus.redis.client import Pipeline
from posebus.bus.redis.slots import Address, NodeClients, key_of, slot_of


class ClusterPipeline(Pipeline):
    """A pipeline that goes to the node of its first key."""

    def __init__(self, cluster: NodeClients, transaction: bool) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, None)
        self._cluster = cluster
        self._slot: int | None = None
        self._address: Address | None = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Queue a command. Raises ClusterCrossSlotError for keys of different slots."""
        self._choose_node(args)
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all queued commands and return their replies."""
        with self._noticing():
            return super().execute(raise_on_error)

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command at once, between WATCH and MULTI."""
        with self._noticing():
            return super().immediate_execute_command(*args, **options)

    def reset(self) -> None:  # type: ignore[override]
        """Discard queued commands; the next ones may go to another node."""
        super().reset()
        self._slot = self._address = None

    def _choose_node(self, args: Any) -> None:
        key = key_of(args)
        if key is None:
            return
        slot = slot_of(key)
        if self._slot is None:
            self._slot, self._address = slot, self._cluster.address_of(slot)
            self.connection_pool = self._cluster.client_at(self._address).connection_pool
        elif slot != self._slot:
            raise exceptions.ClusterCrossSlotError(f"keys of one pipeline must share a slot; {key!r} does not")

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        if self._address is None:
            yield
            return
        with self._cluster.noticing(self._address):
            yield
