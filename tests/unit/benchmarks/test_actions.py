"""The weights of the built-in classifier are those that the script gives, and the script does what it says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.actions import training
from benchmarks.actions.augmented import HIDDEN, augmented_poses
from benchmarks.actions.examples import LABELS, Examples
from benchmarks.actions.sources import SCENES_FILES
from benchmarks.actions.weights import differing, digest_of, probe, read, settings, write
from tracking.actions.builtin import WEIGHTS
from tracking.actions.features import FEATURES

RETRAIN = "train again: python -m benchmarks.actions --write, and put its tables into benchmarks/results/actions.md"
HIP, KNEE, ANKLE = 11, 13, 15


def recorded() -> dict[str, object]:
    """What the file of weights says about where they come from."""
    return dict(json.loads(WEIGHTS.read_text(encoding="utf-8"))["made_from"])


def toy(count: int = 400) -> Examples:
    """Examples whose first feature tells two labels apart."""
    values = np.random.default_rng(3).standard_normal((count, FEATURES))
    return Examples(values, np.where(values[:, 0] > 0, LABELS.index("Standing"), LABELS.index("Fallen")))


def test_the_weights_were_made_with_the_settings_of_the_script() -> None:
    assert recorded()["settings"] == settings(), RETRAIN


def test_the_weights_are_those_that_the_script_wrote() -> None:
    assert recorded()["weights"] == digest_of(read()), RETRAIN


def test_scenes_and_features_are_those_that_the_weights_were_trained_on() -> None:
    was, now = recorded()["probe"], probe()
    assert now["examples"] == was["examples"], RETRAIN
    assert now["means"] == pytest.approx(was["means"], abs=2e-3), RETRAIN


def test_the_open_recordings_are_those_that_the_weights_were_trained_on(shared_data: Path) -> None:
    for name in SCENES_FILES:
        digest = hashlib.sha256((shared_data / "actions" / name).read_bytes()).hexdigest()
        assert recorded()["files"][name] == digest, RETRAIN


def test_training_gives_the_same_bits_again_and_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", 300)
    examples = toy()
    weights = np.full(len(examples), 1.0)
    network = training.trained(examples, weights)
    assert differing(network, training.trained(examples, weights)) == (0, 0.0)
    assert network.first.shape == (FEATURES, training.MEMBERS * training.HIDDEN)
    assert (network.probabilities(examples.values).argmax(axis=1) == examples.labels).mean() > 0.95


def test_weights_are_read_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", 2)
    network = training.trained(toy(), np.full(400, 1.0))
    write(network, {"weights": digest_of(network)}, tmp_path / "weights.json")
    again = read(tmp_path / "weights.json")
    assert digest_of(again) == digest_of(network)
    changed = again._replace(second_bias=again.second_bias + np.eye(len(LABELS))[0] * 0.5)
    assert differing(network, changed) == (1, pytest.approx(0.5))


def test_changed_copies_have_limbs_of_other_lengths_in_all_poses_alike() -> None:
    poses = np.random.default_rng(1).uniform(0.0, 300.0, (5, 17, 3)).astype(np.float32)
    poses[..., 2] = 1.0
    poses[1:, :, :2] = poses[0, :, :2] + 7.0 * np.arange(1, 5)[:, None, None]  # the same posture elsewhere
    for seed in range(20):
        found = augmented_poses(poses, np.random.default_rng(seed))
        shape = found[..., :2] - found[:, HIP : HIP + 1, :2]
        np.testing.assert_allclose(shape[1:], np.broadcast_to(shape[0], shape[1:].shape), atol=1e-2)
        missing = np.flatnonzero(found[0, :, 2] == 0.0).tolist()
        assert missing == [] or missing in [sorted(joints) for _, joints in HIDDEN]
        assert (found[..., 2] == found[0, :, 2]).all()


def test_a_joint_that_was_not_seen_moves_nothing_that_hangs_on_it() -> None:
    pose = np.random.default_rng(2).uniform(100.0, 300.0, (1, 17, 3))
    pose[..., 2] = 1.0
    pose[0, KNEE] = 0.0
    errors = []
    for seed in range(200):
        found = augmented_poses(pose, np.random.default_rng(seed))
        errors.append(found[0, ANKLE, 1] - pose[0, ANKLE, 1])  # heights are not stretched
    assert np.abs(errors).max() < 0.012 * 200.0 * 5
    assert np.std(errors) == pytest.approx(0.012 * np.ptp(pose[0, pose[0, :, 2] > 0, 1]), rel=0.2)
