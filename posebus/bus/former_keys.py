"""Keys by the names that they had before 0.2, so that workers of both versions can share a broker during an update.

`suspects` is now `attempts`, and `turn` is now `reclaim_lock`. New workers read both names, write the new ones, and
delete what they have read under an old one. This module goes in 0.3, and the old names in deploy/users.acl with it.
"""

from __future__ import annotations

from posebus.topology import Topology


def former_attempts(topology: Topology, camera: str) -> str:
    """The hash that is now `topology.attempts(camera)`; both are in one slot."""
    return topology.attempts(camera).replace(":attempts:", ":suspects:", 1)


def former_reclaim_lock(topology: Topology, shard: int) -> str:
    """The string that is now `topology.reclaim_lock(shard)`; both are in one slot."""
    return topology.reclaim_lock(shard).replace(":reclaim_lock", ":turn", 1)
