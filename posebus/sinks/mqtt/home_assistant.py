"""What Home Assistant needs to show a camera: one message for the device with all its entities. Pure.

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from posebus.contract.public_json import dump
from posebus.sinks.mqtt.topics import Publication, Topics

PHASES = ("start", "update", "end", "once")
"""The types of the event of a rule, as Home Assistant knows them: where in a happening it stands."""
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


def device_id(prefix: str, camera: str) -> str:
    """The id of the device: letters, digits, `_` and `-`, and different for different cameras."""
    name = f"{prefix}_{camera}"
    plain = _OTHER.sub("_", name)
    return plain if plain == name and "_" not in prefix else f"{plain}_{zlib.crc32(name.encode()):08x}"


def config_topic(discovery: str, topics: Topics, camera: str) -> str:
    """Where the device is announced."""
    return f"{discovery}/device/{device_id(topics.prefix, camera)}/config"


def device(discovery: str, topics: Topics, camera: str, rules: Iterable[str], *, with_events: bool) -> Publication:
    """The announcement of a camera. with_events: events come as CloudEvents, so that each rule can be an entity."""
    own = device_id(topics.prefix, camera)
    state = topics.state(camera)
    components: dict[str, Any] = {
        "online": {
            "platform": "binary_sensor",
            "unique_id": f"{own}_online",
            "name": "Online",
            "device_class": "connectivity",
            "state_topic": state,
            "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
        },
        "people": {
            "platform": "sensor",
            "unique_id": f"{own}_people",
            "name": "People",
            "icon": "mdi:account-group",
            "state_class": "measurement",
            "state_topic": state,
            "value_template": "{{ value_json.people }}",
        },
    }
    for rule in sorted(rules) if with_events else ():
        components[f"rule_{_OTHER.sub('_', rule)}_{zlib.crc32(rule.encode()):08x}"] = {
            "platform": "event",
            "unique_id": f"{own}_rule_{zlib.crc32(rule.encode()):08x}",
            "name": rule,
            "event_types": list(PHASES),
            "state_topic": topics.events(camera),
            "value_template": _rule_template(rule),
        }
    content = {
        "device": {"identifiers": [own], "name": camera, "manufacturer": "posebus", "model": "camera"},
        "origin": {"name": "posebus", "sw_version": version("posebus")},
        "availability_topic": topics.status,
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
        "components": components,
    }
    return Publication(config_topic(discovery, topics, camera), dump(content), retain=True)


def _rule_template(rule: str) -> str:
    """A template that gives the event of this rule, and nothing for all others, which Home Assistant then ignores."""
    fields = "'type': value_json.type, 'id': value_json.id, 'time': value_json.time, 'data': value_json.data"
    event = f"{{'event_type': value_json.data.phase | default('once'), {fields}}}"
    is_its = f"value_json.data.rule | default('') == {json.dumps(rule)}"
    return f"{{% if {is_its} %}}{{{{ ({event}) | tojson }}}}{{% endif %}}"
