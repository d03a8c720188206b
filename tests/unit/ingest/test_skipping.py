"""Skipping pictures in decoding: as many are delivered as with full decoding, or skipping ends."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.sources.decoding.skipping import TOLERANCE, FrameSkipping
from ingest.sources.pacing import RateCap


@dataclass(frozen=True)
class Picture:
    """One picture of a made-up stream: a key frame "I", a reference "P", or a non-reference "b"."""

    kind: str
    presented_s: float


def stream(pattern: str, fps: float, seconds: float) -> list[Picture]:
    """Return pictures in presentation order, with a repeated `pattern`."""
    kinds = itertools.cycle(pattern)
    return [Picture(next(kinds), number / fps) for number in range(round(seconds * fps))]


def decode(pictures: list[Picture], skipping: FrameSkipping) -> list[Picture]:
    """Return the pictures of a decoder that skips as instructed; decoding order equals presentation order here."""
    shown = []
    for picture in pictures:
        level = skipping.before(picture.presented_s, is_key=picture.kind == "I")
        if picture.kind in {"DEFAULT": "IPb", "NONREF": "IP", "NONKEY": "I"}[level]:
            skipping.after(picture.presented_s)
            shown.append(picture)
    return shown


def delivered(pictures: list[Picture], max_fps: float) -> int:
    cap = RateCap(max_fps)
    return sum(cap.admit(round(picture.presented_s * 1e9)) for picture in pictures)


@example("IP", 30.0, 15.5)  # key frames come at 15 fps, within the tolerance
@given(
    st.text(alphabet="Pb", max_size=30).map("I".__add__),
    st.sampled_from([7.0, 15.0, 25.0, 30.0, 59.94]),
    st.floats(0.3, 60.0),
)
def test_as_many_pictures_are_delivered_as_with_full_decoding(pattern: str, fps: float, max_fps: float) -> None:
    pictures = stream(pattern, fps, seconds=30.0)
    shown = decode(pictures, FrameSkipping(max_fps))
    assert delivered(shown, max_fps) >= delivered(pictures, max_fps) / TOLERANCE - 3


@pytest.mark.parametrize(
    ("pattern", "max_fps", "least_share", "most_share"),
    [
        ("I" + "bP" * 30, 12.0, 0.5, 0.6),  # every second picture may be skipped
        ("I" + "bPbP" * 6, 5.0, 0.5, 0.6),  # but key frames alone are too few
        ("I" + "bPbP" * 6, 1.0, 0.03, 0.15),  # here they are enough
        ("I" + "bPbP" * 6, 20.0, 1.0, 1.0),  # the cap needs nearly all
        ("I" + "bbbP" * 6, 12.0, 0.9, 1.0),  # tried, and given up: one in four is too few
        ("I" + "P" * 24, 12.0, 1.0, 1.0),  # there is nothing to skip
        ("I" + "bPbP" * 6, None, 1.0, 1.0),
    ],
)
def test_the_decoded_share_is_within_its_bounds(
    pattern: str, max_fps: float | None, least_share: float, most_share: float
) -> None:
    pictures = stream(pattern, 25.0, seconds=40.0)
    assert least_share <= len(decode(pictures, FrameSkipping(max_fps))) / len(pictures) <= most_share


def test_decoding_returns_from_key_frames_only_at_a_key_frame() -> None:
    often, seldom = stream("I" + "P" * 9, 10.0, 20.0), stream("I" + "P" * 49, 10.0, 20.0)
    pictures = [*often, *(Picture(picture.kind, picture.presented_s + 20.0) for picture in seldom)]
    shown = decode(pictures, FrameSkipping(1.0))
    after = [picture for picture in shown if picture.presented_s >= 20.0]
    assert [picture.kind for picture in after[:2]] == ["I", "I"]
    assert after[2].presented_s - after[1].presented_s == pytest.approx(0.1)


def test_pictures_are_not_skipped_if_the_source_would_seem_silent() -> None:
    pictures = stream("I" + "P" * 29, 10.0, 60.0)
    assert len(decode(pictures, FrameSkipping(0.2))) < 110
    assert len(decode(pictures, FrameSkipping(0.2, longest_gap_s=2.0))) == len(pictures)


def test_without_times_every_picture_is_decoded() -> None:
    skipping = FrameSkipping(1.0)
    assert {skipping.before(None, is_key=number % 5 == 0) for number in range(100)} == {"DEFAULT"}


def test_a_level_that_was_given_up_is_not_used_after_a_restart() -> None:
    pictures = stream("I" + "bbbP" * 6, 25.0, seconds=10.0)
    skipping = FrameSkipping(12.0)
    decode(pictures, skipping)
    skipping.restart()
    assert len(decode(pictures, skipping)) == len(pictures)
