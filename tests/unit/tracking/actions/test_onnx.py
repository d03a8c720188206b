"""A user's network: what it gets and gives, and one sentence for each file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from unit.tracking.actions.bodies import body, frame, windows

from posebus.errors import ConfigError
from tracking.actions.of_camera import CameraActions
from tracking.actions.onnx import open_onnx


def save(
    path: Path, shape: tuple[int | str, ...] = (1, 3, 4, 17, 1), labels: str | None = "east\nsouth\nsure\n"
) -> Path:
    """A network whose three scores are the sums of x, y and confidence over all moments and joints."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [3], [2, 3, 4])
    node = helper.make_node("ReduceSum", ["poses", "axes"], ["scores"], keepdims=0)
    graph = helper.make_graph(
        [node],
        "sums",
        [helper.make_tensor_value_info("poses", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 3))],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    if labels is not None:
        path.with_suffix(".txt").write_text(labels)
    return path


def test_the_network_gets_the_picture_from_minus_to_plus_a_half(tmp_path: Path) -> None:
    classifier = open_onnx(str(save(tmp_path / "sums.onnx")))
    assert classifier.labels == ("east", "south", "sure")
    pose = np.zeros((17, 3), np.float32)
    pose[5] = 640.0, 120.0, 0.5  # the right border, a quarter down: x 0.5, y -0.25
    found = classifier.classify(windows([0.0], [pose])).probabilities[0]
    scores = 4 * np.array([0.5, -0.25, 0.5])  # one moment stands for all four
    np.testing.assert_allclose(found, np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)


def test_its_classes_are_the_actions_of_tracks(tmp_path: Path) -> None:
    actions = CameraActions(str(save(tmp_path / "sums.onnx", shape=(1, 3, "T", 17, 1))))
    tracks = actions.update(frame(0, 0.0, {1: body(at=(320, 240))})).tracks
    assert tracks[0].action == "sure"
    assert actions.problems == {}


def test_labels_may_be_in_the_file_itself(tmp_path: Path) -> None:
    path = save(tmp_path / "sums.onnx", labels=None)
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"labels": '["a", "b", "c"]'})
    onnx.save(model, str(path))
    assert open_onnx(str(path)).labels == ("a", "b", "c")


@pytest.mark.parametrize(
    "shape", [(1, 3, 4, 18, 1), (1, 2, 4, 17, 1), (1, 3, 4, 17, 2), (1, 3, 17), (1, 3, 5000, 17, 1)]
)
def test_other_inputs_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "sums.onnx"
    if len(shape) == 3:
        node = helper.make_node("Flatten", ["poses"], ["scores"])
        graph = helper.make_graph(
            [node],
            "flat",
            [helper.make_tensor_value_info("poses", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 51))],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    else:
        save(path, shape)
    with pytest.raises(ConfigError, match=r"not 1 x 3 x T x 17 x 1") as error:
        open_onnx(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_file_and_one_that_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        open_onnx(str(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ConfigError, match="is no network that ONNX Runtime can run"):
        open_onnx(str(tmp_path / "text.onnx"))


def test_labels_are_needed_one_for_each_class(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"write them into sums\.txt"):
        open_onnx(str(save(tmp_path / "sums.onnx", labels=None)))
    with pytest.raises(ConfigError, match="has 3 classes, but 2 names"):
        open_onnx(str(save(tmp_path / "two.onnx", labels="a\nb\n")))


def test_a_wrong_file_leaves_the_camera_without_actions_and_says_why(tmp_path: Path) -> None:
    actions = CameraActions(str(tmp_path / "none.onnx"))
    assert "there is no file" in actions.problems["actions"]
    assert actions.update(frame(0, 0.0, {1: body()})).tracks[0].action is None
    actions.set("off")
    assert actions.problems == {}
