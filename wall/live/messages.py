"""The JSON messages between a page and the wall; the other side is wall/web/src/protocol.ts. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from posebus.config.settings import check_camera_name
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.errors import MalformedMessage
from wall.access.people import Right, Visitor

MAX_BYTES = 64_000
MAX_TILES = 256
MAX_WIDTH_PX = 16_384
LEAST_FPS, MOST_FPS = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class TileWish:
    """What a page shows of one camera: the width of its picture in device pixels, and whether it is shown at all."""

    width_px: int
    pictures: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """The tiles of a page by camera, and the frames a second of each."""

    tiles: Mapping[str, TileWish]
    max_fps: float


@dataclass(frozen=True, slots=True)
class Follow:
    """Whether a page shows the state of the deployment."""

    deployment: bool


@dataclass(frozen=True, slots=True)
class FrameShown:
    """A frame was shown."""

    camera: str
    frame: tuple[int, int]


def read_message(text: str) -> Watch | Follow | FrameShown:
    """Return a message of a page. Raises MalformedMessage, in one sentence."""
    data = load_object(text, "the message", MAX_BYTES)
    kind = data.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise MalformedMessage(f"the message must have a type: {', '.join(_READERS)}")
    try:
        return read(data)
    except WRONG_DATA as error:
        raise MalformedMessage(f"the message {kind} is wrong: {type(error).__name__} {str(error)[:100]}") from None


def hello(person: Visitor, version: str, privacy: str) -> str:
    """Return the first message to a page."""
    rights = [right.value for right in Right if person.may(right)]
    return _json(
        type="hello",
        person={"name": person.name, "role": person.role.value, "rights": rights},
        version=version,
        privacy=privacy,
    )


def cameras(infos: list[dict[str, Any]]) -> str:
    """Return the message with all cameras."""
    return _json(type="cameras", cameras=infos)


def deployment(state: Mapping[str, Any]) -> str:
    """Return the message with the state of the deployment."""
    return _json(type="deployment", deployment=state)


def event(content: Mapping[str, Any]) -> str:
    """Return the message with an event, which is as in the public contract."""
    return _json(type="event", event=content)


def broker(sentence: str | None) -> str:
    """Return the message that says whether the broker is there; `sentence` says why it is not."""
    return _json(type="broker", there=sentence is None, sentence=sentence)


def problem(sentence: str) -> str:
    """Return the message that says what is wrong."""
    return _json(type="problem", sentence=sentence)


def _json(**content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))


def _watch(data: dict[str, Any]) -> Watch:
    tiles: dict[str, TileWish] = {}
    given = data["tiles"]
    if not isinstance(given, list) or len(given) > MAX_TILES:
        raise ValueError(f"tiles must be a list of at most {MAX_TILES}")
    for one in given:
        camera = check_camera_name(_text(one["camera"]))
        tile = TileWish(whole(one["width_px"], 1, MAX_WIDTH_PX), _flag(one["pictures"]))
        known = tiles.get(camera, tile)
        # A page may show a camera twice; both tiles get the same frames.
        tiles[camera] = TileWish(max(tile.width_px, known.width_px), tile.pictures or known.pictures)
    return Watch(tiles, min(max(_number(data["max_fps"]), LEAST_FPS), MOST_FPS))


def _follow(data: dict[str, Any]) -> Follow:
    return Follow(_flag(data["deployment"]))


def _shown(data: dict[str, Any]) -> FrameShown:
    return FrameShown(check_camera_name(_text(data["camera"])), (whole(data["epoch"]), whole(data["seq"])))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise TypeError("expected a number")
    return float(value)


_Message = Watch | Follow | FrameShown
_READERS: Mapping[str, Callable[[dict[str, Any]], _Message]] = {
    "watch": _watch,
    "follow": _follow,
    "shown": _shown,
}
