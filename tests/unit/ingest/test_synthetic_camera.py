from __future__ import annotations

import sys

import numpy as np
import pytest

from ingest.sources.synthetic import SyntheticScene, SyntheticSource, SyntheticSpec, parse_spec
from posebus.errors import SourceRejected
from posebus.messages import CaptureClock

START_NS = 1_800_000_000_123_456_789


class Clock:
    """Wall and monotonic clocks that advance only by sleeping."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.slept_s: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1e9)

    def source(self, spec: SyntheticSpec) -> SyntheticSource:
        return SyntheticSource(spec, wall_ns=lambda: START_NS, monotonic_ns=lambda: self.now_ns, sleep_s=self.sleep)


@pytest.mark.parametrize("scene", ["bus", "zidane"])
def test_picture_is_a_function_of_its_time_alone(scene: str) -> None:
    one, other = SyntheticScene(SyntheticSpec(scene)), SyntheticScene(SyntheticSpec(scene))
    first = one.render(START_NS)
    one.render(START_NS + 3_000_000_000)
    assert np.array_equal(one.render(START_NS), first)
    assert np.array_equal(other.render(START_NS), first)
    assert first.shape == (480, 640, 3)
    assert first.flags.c_contiguous
    assert not np.array_equal(one.render(START_NS + 1_000_000_000), first)


def test_pan_is_smooth() -> None:
    scene = SyntheticScene(SyntheticSpec("bus", width=320, height=240))
    for second in range(0, 60, 7):
        now = scene.render(START_NS + second * 1_000_000_000).astype(int)
        soon = scene.render(START_NS + second * 1_000_000_000 + 66_000_000).astype(int)
        later = scene.render(START_NS + (second + 4) * 1_000_000_000).astype(int)
        assert np.abs(now - soon).mean() < np.abs(now - later).mean()


def test_seed_gives_another_camera() -> None:
    one, other = SyntheticScene(SyntheticSpec("bus")), SyntheticScene(SyntheticSpec("bus", seed=1))
    assert not np.array_equal(one.render(START_NS), other.render(START_NS))


def test_pictures_come_at_ticks_of_the_wall_clock() -> None:
    clock = Clock()
    source = clock.source(SyntheticSpec("zidane", fps=10.0))
    pictures = [source.read() for _ in range(4)]
    times_ns = [picture.captured_at_ns for picture in pictures if picture]
    assert all(time_ns % 100_000_000 == 0 for time_ns in times_ns)
    assert np.diff(times_ns).tolist() == [100_000_000] * 3
    assert times_ns[0] - START_NS <= 100_000_000
    assert pictures[0] is not None
    assert pictures[0].clock is CaptureClock.ARRIVAL
    assert np.array_equal(pictures[0].image_bgr, source.scene.render(times_ns[0]))


def test_missed_ticks_are_skipped() -> None:
    clock = Clock()
    source = clock.source(SyntheticSpec("zidane", fps=10.0))
    first = source.read()
    clock.now_ns += 1_030_000_000
    second = source.read()
    assert first is not None
    assert second is not None
    assert second.captured_at_ns - first.captured_at_ns == 1_000_000_000


def test_pictures_that_are_not_admitted_are_skipped() -> None:
    clock = Clock()
    source = clock.source(SyntheticSpec("zidane", fps=10.0))
    wanted = iter([False, False, True])
    assert source.read(lambda _: next(wanted)) is not None
    assert len(clock.slept_s) == 3


def test_options_are_read_from_the_source() -> None:
    assert parse_spec("synthetic:bus?fps=5&width=320&height=240&seed=3") == SyntheticSpec("bus", 5.0, 320, 240, 3)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("synthetic:cat", "known are bus, zidane"),
        ("synthetic:bus?speed=3", "unknown option 'speed'"),
        ("synthetic:bus?fps=fast", "no number"),
        ("synthetic:bus?fps=nan", "out of range"),
        ("synthetic:bus?width=100000", "out of range"),
    ],
)
def test_a_bad_spec_raises_one_sentence(source: str, sentence: str) -> None:
    with pytest.raises(SourceRejected, match=sentence):
        parse_spec(source)


def test_without_ultralytics_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SourceRejected, match="pip install ultralytics"):
        SyntheticScene(SyntheticSpec("bus"))


def test_pictures_are_found_without_importing_ultralytics() -> None:
    import subprocess

    code = "import sys; from ingest.sources.synthetic import *; SyntheticScene(SyntheticSpec('bus'));"
    code += "sys.exit('torch' in sys.modules or 'ultralytics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
