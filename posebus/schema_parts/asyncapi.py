"""An AsyncAPI 3 document of all streams in the broker, from the table of keys and the schemas of messages.

AsyncAPI has no binding for Redis that says anything, so keys, fields and retention are in fields that begin with `x-`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.messages import SCHEMA_VERSION
from posebus.schema_parts.stream_entries import ENTRIES, entry_schema
from posebus.schema_parts.values import Schema
from posebus.topology import KEYS, OF_SHARD, OF_SINK, KeySpec

VERSION = "3.0.0"
JSON_ENTRIES: Mapping[str, tuple[str, ...]] = {"tracks": ("camera", "epoch", "seq"), "events": ("type", "camera")}
"""Streams of JSON: the fields of an entry beside `data`, which holds the JSON."""


def document(schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """The document. `schemas`: those of the streams of JSON, by stream."""
    streams = [key for key in KEYS if key.holds.startswith("stream")]
    messages = {name: message for key in streams for name, message in _messages(key.kind).items()}
    payloads = {name: _draft7(schema) for name, schema in schemas.items()}
    payloads |= {
        f"{stream}_{name}": entry_schema(kind) for stream, kinds in ENTRIES.items() for name, kind in kinds.items()
    }
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "posebus",
            "version": str(SCHEMA_VERSION),
            "description": "The streams of posebus in the broker: live human poses of many cameras. `tracks` and "
            "`events` are for subscribers, and any language reads them; the others are between the stages.",
            "license": {"name": "AGPL-3.0-or-later", "url": "https://www.gnu.org/licenses/agpl-3.0.html"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "127.0.0.1:6399",
                "protocol": "redis",
                "description": "Redis 7.0 or newer, or Valkey 8 or newer; this one is the broker of `posebus up`",
                "bindings": {"redis": {}},
            }
        },
        "channels": {key.kind: _channel(key) for key in streams},
        "operations": dict(_operation(key, action) for key in streams for action in _actions(key)),
        "components": {"messages": messages, "schemas": payloads},
    }


def _channel(key: KeySpec) -> dict[str, Any]:
    of_shard = key.kind in OF_SHARD
    owner = "sink" if key.kind in OF_SINK else "camera"
    address = f"{key.kind}/{{shard}}" if of_shard else f"{key.kind}/{{{owner}}}"
    parameter = (
        {"shard": {"description": "A shard: crc32 of the camera's name modulo the number of shards", "default": "0"}}
        if of_shard
        else {owner: {"description": f"Name of a {owner}"}}
    )
    return {
        "address": address,
        "title": key.kind,
        "description": key.holds.removeprefix("stream: "),
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": parameter,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(key.kind)},
        "bindings": {"redis": {}},
        "x-redis-type": "stream",
        "x-redis-key": f"posebus:{{SHARD}}:{key.kind}" + ("" if of_shard else f":{owner.upper()}"),
        "x-written-by": key.writer,
        "x-read-by": key.readers,
        "x-retention": key.retention,
        "x-when-full": key.overflow,
    }


def _messages(stream: str) -> dict[str, dict[str, Any]]:
    """The messages of a stream by name."""
    if stream in JSON_ENTRIES:
        fields = JSON_ENTRIES[stream]
        header = {
            "type": "object",
            "properties": {field: {"type": "string"} for field in fields},
            "required": list(fields),
        }
        return {
            stream: {
                "name": stream,
                "contentType": "application/json",
                "headers": {**header, "description": "The other fields of the entry, as text"},
                "payload": {"$ref": f"#/components/schemas/{stream}"},
                "x-redis-field": "data",
            }
        }
    return {
        f"{stream}_{name}": {
            "name": name,
            "title": kind.title,
            "contentType": "application/octet-stream",
            "payload": {"$ref": f"#/components/schemas/{stream}_{name}"},
            "description": "The fields of an entry",
        }
        for name, kind in ENTRIES.get(stream, {}).items()
    }


def _actions(key: KeySpec) -> tuple[str, ...]:
    """Every stream is sent by posebus; those with a consumer group it also receives itself."""
    return ("send", "receive") if "group" in key.readers else ("send",)


def _operation(key: KeySpec, action: str) -> tuple[str, dict[str, Any]]:
    summary = f"Written by {key.writer}" if action == "send" else f"Read by {key.readers}"
    channel = {"$ref": f"#/channels/{key.kind}"}
    return f"{action}{key.kind.title().replace('_', '')}", {"action": action, "channel": channel, "summary": summary}


def _draft7(value: Any) -> Any:
    """A schema in the dialect of AsyncAPI, which is that of draft 7: tuples are `items` there."""
    if isinstance(value, list):
        return [_draft7(one) for one in value]
    if not isinstance(value, dict):
        return value
    renamed = {"prefixItems": "items"}
    return {renamed.get(name, name): _draft7(one) for name, one in value.items() if name not in ("$schema", "$id")}
