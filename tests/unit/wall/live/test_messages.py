"""Messages of pages: what is read of them, and that everything else is refused in a sentence."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.errors import MalformedMessage
from wall.live.messages import Follow, FrameShown, TileWish, Watch, read_message


def tile(**changes: Any) -> dict[str, Any]:
    return {"camera": "door", "width_px": 320, "pictures": True, **changes}


def watch(*tiles: Any, **changes: Any) -> str:
    return json.dumps({"type": "watch", "tiles": list(tiles), "max_fps": 10, **changes})


def test_messages_are_read() -> None:
    assert read_message(watch(tile())) == Watch({"door": TileWish(320, pictures=True)}, 10.0)
    assert read_message('{"type": "follow", "deployment": true}') == Follow(deployment=True)
    assert read_message('{"type": "shown", "camera": "door", "epoch": 3, "seq": 4}') == FrameShown("door", (3, 4))


def test_camera_with_two_tiles_gets_the_larger_picture() -> None:
    found = read_message(watch(tile(pictures=False, width_px=900), tile()))
    assert found == Watch({"door": TileWish(900, pictures=True)}, 10.0)


@pytest.mark.parametrize(("asked", "given_fps"), [(0, 1.0), (-3, 1.0), (1e6, 30.0), (12.5, 12.5)])
def test_rate_is_bounded(asked: float, given_fps: float) -> None:
    found = read_message(watch(max_fps=asked))
    assert isinstance(found, Watch)
    assert found.max_fps == given_fps


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '{"type": 3}', '{"type": "watch"}', '{"type": "__class__"}', "[" * 100_000,
        '{"type": "shown", "camera": "door", "epoch": 1e400, "seq": 0}', watch(tile(camera="../x")),
        watch(tile(camera=7)), watch(tile(width_px=0)), watch(tile(width_px=1e9)), watch(tile(pictures="yes")),
        watch(tile(), max_fps="30"), watch(max_fps=True), watch(*[tile()] * 257), watch("door"), watch(None),
        '{"type": "watch", "tiles": {}, "max_fps": 3}', '{"type": "watch", "tiles": [], "max_fps": NaN}',
        '{"type": "follow", "deployment": 1}', '{"type": "shown", "camera": "door", "epoch": -1, "seq": 0}',
        '{"type": "follow", "deployment": true' + " " * 70_000 + "}", "9" * 10_000,
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        read_message(text)
    assert len(str(refused.value)) < 300


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["watch", "follow", "shown"])},
        optional=dict.fromkeys(("tiles", "max_fps", "deployment", "camera", "epoch", "seq"), _JSON),
    )
)
def test_no_message_raises_anything_else(message: dict[str, Any]) -> None:
    with contextlib.suppress(MalformedMessage):
        read_message(json.dumps(message))
