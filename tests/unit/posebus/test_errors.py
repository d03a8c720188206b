"""The tree of errors: what each branch makes the program do, and what an error carries."""

from __future__ import annotations

import copy
import pickle

import pytest

from posebus import errors
from posebus.errors import (
    BadPicture,
    BrokerRefused,
    BrokerUnavailable,
    CameraLost,
    ConfigError,
    DeploymentUnavailable,
    EngineError,
    FatalError,
    LeaseLost,
    LoginRefused,
    MalformedMessage,
    OutputError,
    PoisonError,
    PoseBusError,
    RestartableError,
    RetryableError,
    SinkFailed,
    SourceChanged,
    SourceMissing,
    SourceRejected,
    SourceUnavailable,
    WeightsError,
)

LEAVES: dict[type[PoseBusError], set[type[PoseBusError]]] = {
    RetryableError: {
        BrokerUnavailable,
        SourceUnavailable,
        LoginRefused,
        DeploymentUnavailable,
        SinkFailed,
        SourceChanged,
    },
    PoisonError: {MalformedMessage, BadPicture},
    CameraLost: {LeaseLost},
    RestartableError: {EngineError},
    FatalError: {ConfigError, BrokerRefused, SourceRejected, SourceMissing, WeightsError, OutputError},
}
EVERY = sorted((leaf for leaves in LEAVES.values() for leaf in leaves), key=lambda leaf: leaf.__name__)


@pytest.mark.parametrize("leaf", EVERY)
def test_each_error_belongs_to_exactly_one_branch(leaf: type[PoseBusError]) -> None:
    assert [branch for branch in LEAVES if issubclass(leaf, branch)] == [
        branch for branch, leaves in LEAVES.items() if leaf in leaves
    ]


def test_every_error_of_the_module_is_drawn_in_the_tree_at_its_top() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined == {"PoseBusError", *(error.__name__ for error in (*LEAVES, *EVERY))}
    assert errors.__doc__ is not None
    assert {name for name in defined if name not in errors.__doc__} == set()


@pytest.mark.parametrize("kind", EVERY)
def test_camera_and_entry_survive_pickling_and_copying(kind: type[PoseBusError]) -> None:
    error = kind("another process has camera door now", camera="door", entry_id="1-0")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert str(twin) == "another process has camera door now"
        assert (twin.camera, twin.entry_id) == ("door", "1-0")


def test_an_error_without_camera_and_entry_is_its_sentence_alone() -> None:
    error = ConfigError("shards must be at least 1")
    assert (str(error), error.args) == ("shards must be at least 1", ("shards must be at least 1",))
    assert (error.camera, error.entry_id) == (None, None)
