"""Snapshots of events in the broker: each is a string that expires, and a list of them keeps a camera's within bytes.

The list, the stream `snapshots` of the camera, has an entry for each snapshot with its key and its size; the script
below adds a snapshot and deletes the oldest ones in one step, also if several processes do, or one is killed.
"""

from __future__ import annotations

from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.scripts import run
from posebus.bus.stream_bound import BROKER_SHARE

# KEYS: snapshot, list of the camera. ARGV: the picture, its time to live in ms, its size in bytes, the most bytes.
# Keys of other snapshots of the camera come from the list; they are in the same slot.
STORE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local total = tonumber(ARGV[3])
local found = redis.call('XREVRANGE', KEYS[2], '+', '-')
for _, entry in ipairs(found) do
  local key, size = entry[2][2], tonumber(entry[2][4])
  if redis.call('EXISTS', key) == 0 then
    redis.call('XDEL', KEYS[2], entry[1])
  elseif total + size > tonumber(ARGV[4]) then
    redis.call('DEL', key)
    redis.call('XDEL', KEYS[2], entry[1])
  else
    total = total + size
  end
end
redis.call('XADD', KEYS[2], '*', 'key', KEYS[1], 'bytes', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
"""


def store_snapshot(
    broker: Broker, camera: str, frame: tuple[int, int], jpeg: bytes, *, keep_s: float, max_bytes: int
) -> bool:
    """Keep the snapshot of `frame` (epoch, seq) for `keep_s`; False if there is one already, which stays.

    The oldest snapshots of the camera are deleted until all fit into `max_bytes`. Raises the broker's errors.
    """
    topology = broker.topology
    keys = [topology.snapshot(camera, *frame), topology.snapshots(camera)]
    arguments: list[Any] = [jpeg, max(1, int(keep_s * 1000)), round(BROKER_SHARE * len(jpeg)), max_bytes]
    with broker.errors():
        return bool(run(broker.client, STORE, keys, arguments))


def has_snapshot(broker: Broker, camera: str, frame: tuple[int, int]) -> bool:
    """Return whether the broker has a snapshot of `frame`. Raises the broker's errors."""
    with broker.errors():
        return bool(broker.client.exists(broker.topology.snapshot(camera, *frame)))


def read_snapshot(broker: Broker, camera: str, frame: tuple[int, int]) -> bytes | None:
    """Return the JPEG of the snapshot of `frame`. Raises the broker's errors."""
    with broker.errors():
        found: Any = broker.client.get(broker.topology.snapshot(camera, *frame))
    return None if found is None else bytes(found)


def delete_snapshots(broker: Broker, camera: str) -> int:
    """Delete all snapshots of a camera and the list of them; returns how many. Raises the broker's errors."""
    key = broker.topology.snapshots(camera)
    with broker.errors():
        entries: Any = broker.client.xrange(key)
        found = [fields[b"key"] for _, fields in entries if fields.get(b"key", b"").startswith(_prefix(broker, camera))]
        pipeline = broker.client.pipeline(transaction=True)
        pipeline.delete(key, *found)
        return max(0, int(pipeline.execute()[0]) - bool(entries))


def _prefix(broker: Broker, camera: str) -> bytes:
    return broker.topology.snapshot(camera, 0, 0).removesuffix("0-0").encode()
