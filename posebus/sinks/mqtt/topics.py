"""The topics of the sink `mqtt`, and what is published there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from posebus.contract.public_json import dump, event_to_json
from posebus.messages import Event

CLOUDEVENT = "application/cloudevents+json"
JSON = "application/json"
EVENT_JSON, METADATA_JSON = "onvif-ej", "onvif-mj"


@dataclass(frozen=True, slots=True)
class Publication:
    """One message for the MQTT broker."""

    topic: str
    payload: str
    content_type: str = JSON
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics below a prefix."""

    prefix: str

    @property
    def status(self) -> str:
        """Whether the sink is connected: `online` or `offline`, retained."""
        return f"{self.prefix}/status"

    def state(self, camera: str) -> str:
        """The state of a camera, retained."""
        return f"{self.prefix}/{camera}/state"

    def events(self, camera: str) -> str:
        """The topics of all events of a camera."""
        return f"{self.prefix}/{camera}/events/+"

    def event(self, event: Event, style: str = "posebus") -> Publication:
        """An event as it is published: a CloudEvent, or with a style of ONVIF, if it has a name there, JSON of ONVIF.

        The name and the items stand in `data.onvif` of the event (`posebus.contract.onvif`).
        """
        content = event_to_json(event)
        named = content["data"].get("onvif")
        if style == "posebus" or not isinstance(named, dict) or not isinstance(named.get("Topic"), str):
            topic = f"{self.prefix}/{event.camera}/events/{_level(event.type)}"
            return Publication(topic, dump(content), CLOUDEVENT)
        items = {name: value for name, value in named.items() if name != "Topic"}
        prefix = METADATA_JSON if style == METADATA_JSON else EVENT_JSON
        return Publication(self._onvif(event, named["Topic"], prefix), dump({"UtcTime": content["time"], **items}))

    def _onvif(self, event: Event, topic: str, payload_prefix: str) -> str:
        """`PREFIX/CAMERA/onvif-ej/RuleEngine/LineDetector/Crossed/&CAMERA/RULE` (ONVIF Core, JSON events)."""
        levels = [_level(level.rpartition(":")[2]) for level in topic.split("/") if level]
        rule = event.data.get("rule")
        rules = [_level(rule)] if isinstance(rule, str) else []
        return "/".join([self.prefix, event.camera, payload_prefix, *levels, f"&{event.camera}", *rules])


def _level(text: str) -> str:
    """`text` as one level of a topic: without what separates levels or stands for others."""
    return "".join("_" if one in "/#+\0" or one.isspace() else one for one in text) or "_"
