"""A client of a Redis Cluster: each command goes to the node that has its key.

redis-py's own RedisCluster asks a node for the keys in each XREADGROUP (COMMAND GETKEYS: 1.1 ms for a read that takes
0.14 ms here), and one read covers a single slot. posebus needs less of a cluster, since all keys of a camera are in one
slot, but reads of several slots.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast

import redis
from redis import exceptions

from posebus.bus.redis.client import Client, Pipeline
from posebus.bus.redis.cluster_pipeline import ClusterPipeline
from posebus.bus.redis.errors import answer
from posebus.bus.redis.slots import Address, SlotMap, by_slot, key_of, slot_map, slot_of

POLL_S = 0.01
"""Pause between two reads of streams in several slots, since no server can block for all of them. A frame is read 5 ms
later on average, and an idle worker uses 7 % of a core (8 shards on 3 nodes)."""
OUTDATING = (redis.ConnectionError, redis.TimeoutError, exceptions.ClusterDownError, exceptions.AskError)
"""After these errors, the map of slots is read again."""
EVERYWHERE = frozenset({"SCRIPT LOAD", "SCRIPT FLUSH", "FLUSHALL", "FLUSHDB"})

Ask = Callable[[Any, dict[Any, Any], int | None], Any]
"""A function that reads streams of one slot with a client or pipeline: (client, streams, block in ms)."""


class PartialReply(list[Any]):
    """The answers of some nodes to a read of streams, while other nodes failed; `error` is of the last one."""

    error: redis.RedisError | None = None


class ClusterClient(Client):
    """Replaces a Client of one server. A command that fails is not repeated; the next one reads the slots again."""

    def __init__(self, seed: Client) -> None:
        """`seed` is a client of any node; the others are reached with its user, password and TLS settings."""
        super().__init__(connection_pool=seed.connection_pool)
        options = seed.connection_pool.connection_kwargs
        self._options = options
        self._seed_address: Address = (str(options.get("host", "localhost")), int(options.get("port", 6379)))
        self._clients: dict[Address, Any] = {self._seed_address: seed}
        self._slots = SlotMap()
        self._outdated = True
        self._keyless_node: Address | None = None
        self._learning = threading.Lock()

    @property
    def slots(self) -> SlotMap:
        """The map of slots, as far as it is known."""
        if self._outdated:
            self._learn()
        return self._slots

    def nodes(self) -> dict[str, Client]:
        """A client for each node that has slots, by `host:port`."""
        return {f"{host}:{port}": self._client((host, port)) for host, port in self.slots.nodes}

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to the node that has its key."""
        key = key_of(args)
        if key is None:
            return self._of_servers(args, options)
        try:
            return self._at_owner(slot_of(key), args, options)
        except exceptions.MovedError:
            # The command was not executed, and the map of slots is up to date now.
            return self._at_owner(slot_of(key), args, options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """A pipeline for keys of one slot; it goes to the node that has them."""
        return ClusterPipeline(self, transaction)

    def xread(  # type: ignore[override]
        self, streams: Any, count: int | None = None, block: int | None = None, **more: Any
    ) -> Any:
        """Read streams in any slots; returns a PartialReply if some nodes failed and others had entries."""
        return self._read(
            lambda client, part, block_ms: Client.xread(client, part, count=count, block=block_ms, **more),
            streams,
            block,
        )

    def xreadgroup(  # type: ignore[override]
        self,
        groupname: str,
        consumername: str,
        streams: Any,
        count: int | None = None,
        block: int | None = None,
        **more: Any,
    ) -> Any:
        """Like `xread`. The entries that a node returned are pending there, so they must not be discarded."""
        return self._read(
            lambda client, part, block_ms: Client.xreadgroup(
                client, groupname, consumername, part, count=count, block=block_ms, **more
            ),
            streams,
            block,
        )

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def address_of(self, slot: int) -> Address:
        """The node that has `slot`. Raises ClusterDownError if no node has it."""
        address = self.slots.owner(slot)
        if address is None:
            self._outdated = True
            raise exceptions.ClusterDownError(f"no node has the hash slot {slot}")
        return address

    def client_at(self, address: Address) -> Client:
        """A client of the node at `address`."""
        return cast(Client, self._client(address))

    @contextmanager
    def noticing(self, address: Address) -> Iterator[None]:
        """Inside, errors of the node at `address` update the map of slots: it is unreachable, or a slot has moved."""
        try:
            yield
        except redis.RedisError as error:
            moved = _moved(error)
            if moved is not None:
                self._slots = self._slots.moved(moved.slot_id, (moved.host or address[0], moved.port))
                raise moved from error
            self._outdated |= isinstance(error, OUTDATING) or answer(error).startswith(("CLUSTERDOWN", "ASK "))
            raise

    def _at_owner(self, slot: int, args: Any, options: Any) -> Any:
        address = self.address_of(slot)
        with self.noticing(address):
            return self._client(address).execute_command(*args, **options)

    def _of_servers(self, args: Any, options: Any) -> Any:
        """Send a command without a key: to one node, the same for as long as it answers, or to all of them."""
        if str(args[0]).upper() in EVERYWHERE:
            return self._of_all(args, options)
        address = self._keyless_node = self._keyless_node or random.choice(self.slots.nodes)
        try:
            with self.noticing(address):
                return self._client(address).execute_command(*args, **options)
        except (redis.ConnectionError, redis.TimeoutError):
            others = [one for one in self._slots.nodes if one != address]
            self._keyless_node = random.choice(others) if others else None
            raise

    def _of_all(self, args: Any, options: Any) -> Any:
        """Send a command to every node that answers. The others get their scripts when they report NOSCRIPT."""
        answers, failed = [], None
        for address in self.slots.nodes:
            try:
                answers.append(self._client(address).execute_command(*args, **options))
            except (redis.ConnectionError, redis.TimeoutError) as error:
                failed = error
        if not answers and failed is not None:
            raise failed
        return answers[0]

    def _read(self, ask: Ask, streams: Mapping[Any, Any], block: int | None) -> Any:
        parts = by_slot(streams)
        if len(parts) == 1:
            return ask(self, dict(streams), block)
        end_s = math.inf if block == 0 else time.monotonic() + (block or 0) / 1000
        while True:
            found = self._read_once(ask, parts)
            left_s = end_s - time.monotonic()
            if found or left_s <= 0:
                return found
            time.sleep(min(POLL_S, left_s))

    def _read_once(self, ask: Ask, parts: Mapping[int, dict[Any, Any]]) -> list[Any]:
        """Read without waiting, one round trip a node. Raises the error of a node if no other node had entries."""
        of_node: dict[Address, list[dict[Any, Any]]] = {}
        for slot, part in parts.items():
            of_node.setdefault(self.address_of(slot), []).append(part)
        found: list[Any] = []
        failed: redis.RedisError | None = None
        for address, wanted in of_node.items():
            try:
                for answer in self._ask_node(address, ask, wanted):
                    if isinstance(answer, redis.RedisError):
                        failed = answer
                    else:
                        found += answer or []
            except redis.RedisError as error:
                failed = error
        if failed is None:
            return found
        if not found:
            raise failed
        reply = PartialReply(found)
        reply.error = failed
        return reply

    def _ask_node(self, address: Address, ask: Ask, wanted: list[dict[Any, Any]]) -> list[Any]:
        pipeline = self._client(address).pipeline(transaction=False)
        for part in wanted:
            ask(pipeline, part, None)
        with self.noticing(address):
            answers: list[Any] = pipeline.execute(raise_on_error=False)
        for one in answers:
            if isinstance(one, redis.RedisError):
                # It updates the map of slots but is not raised, since the other answers are needed.
                with suppress(redis.RedisError), self.noticing(address):
                    raise one
        return answers

    def _client(self, address: Address) -> Any:
        client = self._clients.get(address)
        if client is None:
            host, port = address
            pool = self.connection_pool
            options = {**self._options, "host": host, "port": port}
            client = Client(connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options))
            client = self._clients.setdefault(address, client)
        return client

    def _learn(self) -> None:
        """Read the map of slots from any node; nodes that do not answer are skipped."""
        with self._learning:
            if not self._outdated:
                return
            known = list(dict.fromkeys([*self._slots.nodes, self._seed_address]))
            random.shuffle(known)
            failed: redis.RedisError = exceptions.ClusterDownError("no node has any hash slots")
            for address in known:
                try:
                    slots = slot_map(self._client(address).execute_command("CLUSTER SLOTS"), address[0])
                except (redis.ConnectionError, redis.TimeoutError) as error:
                    failed = error
                    continue
                if slots.ranges:
                    self._slots = slots
                    self._outdated = False
                    return
            raise failed


def _moved(error: redis.RedisError) -> exceptions.MovedError | None:
    """`error` as a MovedError if a slot has moved; redis-py raises that class only in its own cluster client."""
    if isinstance(error, exceptions.MovedError):
        return error
    text = answer(error)
    return exceptions.MovedError(text.removeprefix("MOVED ")) if text.startswith("MOVED ") else None
