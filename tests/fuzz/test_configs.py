"""Arbitrary configuration files and environments are accepted, or refused with a ConfigError."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from fuzz.inputs import Make, damaged, fuzz

from posebus.config.loading import load_settings
from posebus.config.settings import Settings, TrackerSettings, WorkerSettings
from posebus.errors import ConfigError
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = [(ROOT / name).read_text() for name in ("examples/posebus.yaml", "deploy/posebus.yaml")]
NAMES = sorted({*Settings.model_fields, *WorkerSettings.model_fields, *TrackerSettings.model_fields, "source", "door"})
NASTY = (
    *(
        "",
        "~",
        "null",
        "true",
        "-1",
        "1e400",
        ".nan",
        ".inf",
        "0x10",
        "1_0",
        "10" * 400,
        "2001-99-99",
        "1:2:3",
        "=",
        "<<",
    ),
    *("!!binary x", "!!python/object:os.system x", "!!set {a}", "!x y", "*a", "&a [*a]", "&a {<<: *a}", "? {a: b}"),
    *("[", "{", "]", "- - -", '"\\ud800"', '"\\x00"', "rtsp://u:p@[::1", "http://[", "redis://h:99999", "rediss://"),
    *(
        "rediss://h?ssl_ca_certs=/nowhere",
        "redis://h/x",
        "unix://",
        "\u2028",
        "\ufeff",
        "---",
        "...",
        "%YAML 9.9",
        "\t",
    ),
    *("[" * 2000, "{a: " * 600, "- " * 3000),
)


def text(rng: random.Random) -> bytes:
    """An example with words replaced, lines moved or bytes damaged; or a list of random words."""
    kind = rng.random()
    if kind < 0.2:
        words = [
            rng.choice((*NAMES, *NASTY)) + rng.choice((": ", "\n", " ", "\n  ", "\n- "))
            for _ in range(rng.randrange(12))
        ]
        return "".join(words).encode("utf-8", "surrogatepass")
    lines = rng.choice(EXAMPLES).splitlines()
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        name, colon, _ = lines[at].partition(":")
        lines[at] = rng.choice(
            (f"{name}{colon} {rng.choice(NASTY)}", f"{rng.choice(NAMES)}: 3", lines[rng.randrange(len(lines))])
        )
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return damaged(rng, data) if kind < 0.5 else data


def environment(rng: random.Random) -> dict[str, str]:
    """Variables with valid, almost valid and invalid names."""
    parts = (*NAMES, "cameras", "DOOR", "", "_", "é", "0")
    names = [
        "POSEBUS_" + "__".join(rng.choice(parts) for _ in range(rng.randint(1, 4))) for _ in range(rng.randrange(4))
    ]
    return {rng.choice((name, name.upper())): rng.choice((*NASTY, "1", "x")) for name in names}


def test_damaged_configurations_are_loaded_or_refused(tmp_path: Path, thorough: bool) -> None:
    path = tmp_path / "posebus.yaml"

    def make(rng: random.Random) -> tuple[bytes, dict[str, str]]:
        return text(rng), environment(rng)

    def check(given: tuple[bytes, dict[str, str]]) -> None:
        path.write_bytes(given[0])
        with contextlib.suppress(ConfigError):
            assert isinstance(load_settings(path, given[1], {}), Settings)

    maker: Make[tuple[bytes, dict[str, str]]] = make
    fuzz(maker, 6_000 if thorough else 200, check)
