"""Ingest's writes, each refused by the broker itself once another process holds the camera's lease.

Images do not pass through the scripts, which would triple their cost in the broker: an image is appended in the same
transaction before its script, and the script deletes it again if the lease was lost, before any consumer can read it.
The scripts are sent as text each time: the digest of one that a restarted broker does not know would fail in the middle
of the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REFUSED, KNOWN, WRITTEN = -1, 0, 1
"""Results of the scripts: another process has the lease; the frame was published before; done."""

# KEYS: lease, checkpoint, frames, events.
# ARGV: lease value, its time to live in ms, whether a frame was appended, its epoch, its seq, events to keep,
#       number of events, type, camera and data of each, the checkpoint's fields (none: it stays as it is).
PUBLISH = """
local ours = redis.call('GET', KEYS[1]) == ARGV[1]
local known = false
if ours and ARGV[3] == '1' then
  local at = redis.call('HMGET', KEYS[2], 'epoch', 'seq')
  known = at[1] == ARGV[4] and tonumber(at[2] or '0') > tonumber(ARGV[5])
end
if ARGV[3] == '1' and (known or not ours) then
  local stream = redis.call('XINFO', 'STREAM', KEYS[3])
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then redis.call('XDEL', KEYS[3], stream[i + 1]) end
  end
end
if not ours then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if known then return 0 end
local position = 8
for _ = 1, tonumber(ARGV[7]) do
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[6], '*', 'type', ARGV[position], 'camera', ARGV[position + 1],
             'data', ARGV[position + 2])
  position = position + 3
end
if position <= #ARGV then redis.call('HSET', KEYS[2], unpack(ARGV, position)) end
return 1
"""

# KEYS: lease, checkpoint, epoch, cameras.
# ARGV: lease value, its time to live in ms, name of this attempt, camera, its record, the last epoch that this process
#       has opened (0: none), the time in µs, the checkpoint's other fields.
# Repeating an attempt whose answer was lost returns the same epoch. Only a broker that still knows the last epoch of
# this process counts on from there. Any other may have forgotten some: a backup, or one that was empty.
OPEN_EPOCH = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
if redis.call('HGET', KEYS[2], 'opened_by') == ARGV[3] then return tonumber(redis.call('HGET', KEYS[2], 'epoch')) end
local stored, own = tonumber(redis.call('GET', KEYS[3]) or '0') or 0, tonumber(ARGV[6])
local epoch = math.max(stored, own) + 1
if own == 0 or stored ~= own then epoch = math.max(epoch, tonumber(ARGV[7])) end
local text = string.format('%.0f', epoch)
redis.call('SET', KEYS[3], text)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'opened_by', ARGV[3], 'epoch', text, unpack(ARGV, 8))
return epoch
"""

# KEYS: lease, frames, poses. ARGV: lease value, its time to live in ms, poses to keep, then of each frame its entry id,
# and the fields of the mark that takes its place, preceded by their number.
SKIP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local position = 4
while position <= #ARGV do
  local fields = tonumber(ARGV[position + 1])
  redis.call('XDEL', KEYS[2], ARGV[position])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, position + 2, position + 1 + fields))
  position = position + 2 + fields
end
return 1
"""


def run(client: Any, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run `script`, or queue it if `client` is a pipeline; all its keys are of one shard."""
    return client.execute_command("EVAL", script, len(keys), *keys, *arguments)


def flat(fields: dict[Any, Any]) -> list[Any]:
    """The fields as name, value, name, value, …, in the form of command arguments."""
    return [part for item in fields.items() for part in item]
