"""8-bit engines with real weights and a real clip are built, measured, used, refused and interrupted."""

from __future__ import annotations

import json
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from tests.conftest import missing
from tests.integration.run_command import finish, posebus, start
from tests.polling import wait_until
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator
from workers.int8.engine_report import compare
from workers.weights.compiled import compiled_folder
from workers.weights.export import export_onnx
from workers.weights.int8_cache import find_built
from workers.weights.weights import Weights

IMGSZ = 320
BUILD = ("engines", "build", "--precision", "int8", "--imgsz", str(IMGSZ), "--frames", "12", "--json")


@pytest.fixture(scope="module", autouse=True)
def needs_nncf() -> None:
    if find_spec("nncf") is None:
        missing("nncf is not installed: pip install '.[int8]' in the checkout of posebus")


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> Path:
    """People who walk through a street, several in each frame."""
    return shared_data / "TUD-Stadtmitte.mp4"


@pytest.fixture(scope="module")
def cache(weights: Weights, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that contains only the exported network."""
    folder = tmp_path_factory.mktemp("cache")
    exported = export_onnx(weights, engine_cache)
    (folder / "engines").mkdir()
    shutil.copy(exported, folder / "engines")
    return folder


@pytest.fixture(scope="module")
def answer(cache: Path, clip: Path, shared_data: Path) -> dict[str, Any]:
    """Return the command's JSON for an engine that it built and installed."""
    annotations = shared_data / "coco4" / "test_coco.json"
    done = posebus(cache, *BUILD, "--max-ap-loss", "0.1", "--annotations", annotations, "--calibrate", clip)
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def files_in(cache: Path) -> set[str]:
    """Return the names of all files beside the exported network, without those that loading it writes."""
    return {path.name for path in (cache / "engines").iterdir() if path.suffix not in {".onnx", ".lock", ".head"}} - {
        f"{exported.stem}.compiled" for exported in (cache / "engines").glob("*.onnx")
    }


def estimator(cache: Path, **settings: Any) -> PoseEstimator:
    wanted = WorkerSettings(conf=0.25, **settings)
    return PoseEstimator(load_engine(wanted, cache), wanted)


def test_built_engine_is_installed_with_its_report(answer: dict[str, Any], cache: Path, weights: Weights) -> None:
    built = find_built(weights, cache)
    assert built is not None
    assert answer["graph"] == str(built.graph)
    assert built.facts["report"] == answer["report"]
    assert built.facts["sources"][0]["name"] == "TUD-Stadtmitte.mp4"
    assert answer["report"]["frames"] == 3
    assert answer["report"]["all"]["people"] >= 6
    assert answer["report"]["ap"] > 0.8 * answer["report"]["reference_ap"] > 0.3
    stem = built.graph.stem
    assert files_in(cache) == {f"{stem}.xml", f"{stem}.bin", f"{stem}.compiled", f"{stem.rpartition('-')[0]}.json"}


@pytest.mark.parametrize("imgsz", [IMGSZ, 640])
def test_worker_detects_the_same_people_with_it_at_any_size(
    imgsz: int, answer: dict[str, Any], cache: Path, clip: Path
) -> None:
    import cv2

    assert answer["installed"]
    recording = cv2.VideoCapture(str(clip))
    pictures = [cv2.cvtColor(recording.read()[1], cv2.COLOR_BGR2RGB) for _ in range(25)][::6]
    exact, coarse = (estimator(cache, engine="openvino", precision=p, imgsz=imgsz) for p in ("fp32", "int8"))
    assert (coarse.engine.name, coarse.engine.precision) == ("openvino", "int8")
    report = compare([(exact.estimate(picture), coarse.estimate(picture)) for picture in pictures])
    assert report.all.people >= 20
    assert report.all.recall > 0.9
    assert report.all.mean_error is not None
    # An error of 0 would mean that fp32 was loaded.
    assert 0.001 < report.all.mean_error < 0.04
    for one in (exact, coarse):
        one.engine.close()


def test_damaged_compiled_files_are_replaced(answer: dict[str, Any], cache: Path, weights: Weights, clip: Path) -> None:
    import cv2

    assert answer["installed"]
    built = find_built(weights, cache)
    assert built is not None
    picture = cv2.cvtColor(cv2.VideoCapture(str(clip)).read()[1], cv2.COLOR_BGR2RGB)
    scores = []
    for damaged in (False, True):
        if damaged:
            kept = list(compiled_folder(built.graph).iterdir())
            assert kept
            for blob in kept:
                blob.write_bytes(blob.read_bytes()[:50_000])
        worker = estimator(cache, precision="int8", imgsz=IMGSZ)
        scores.append(worker.estimate(picture).scores.tolist())
        worker.engine.close()
    assert scores[0]
    assert scores[0] == scores[1]


def test_doctor_and_list_report_the_engine(answer: dict[str, Any], cache: Path) -> None:
    assert answer["installed"]
    listed = json.loads(posebus(cache, "engines", "list", "--json").stdout)
    assert [facts["weights"] for facts in listed] == ["yolo11n-pose"]
    assert "yolo11n-pose int8 at 320 px" in posebus(cache, "engines", "list").stdout
    findings = json.loads(posebus(cache, "doctor", "--precision", "int8", "--json").stdout)["findings"]
    (finding,) = (finding for finding in findings if finding["name"] == "int8")
    # Workers use 640 px, and the engine was measured at 320.
    assert finding["status"] == "note"
    assert "not measured" in finding["text"]


def test_refused_engine_keeps_the_previous_one(answer: dict[str, Any], cache: Path, clip: Path) -> None:
    assert answer["installed"]
    before = files_in(cache)
    done = posebus(cache, *BUILD, "--max-recall-loss", "-1", clip, "--calibrate", clip)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert not said["installed"]
    assert "not detected any more" in said["refusal"][0]
    assert files_in(cache) == before


def test_interrupted_build_leaves_no_files(weights: Weights, engine_cache: Path, clip: Path, tmp_path: Path) -> None:
    exported = export_onnx(weights, engine_cache)
    folder = tmp_path / "engines"
    folder.mkdir()
    shutil.copy(exported, folder)
    process = start(tmp_path, *BUILD, "--calibrate", clip)
    # The folder of the unfinished build appears when the engine is about to be written.
    wait_until(lambda: process.poll() is not None or list(folder.glob(".unfinished-*")), "a build under way")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert finish(process).returncode == 130
    assert files_in(tmp_path) == set()


def test_missing_engine_is_reported_with_the_command_that_builds_it(engine_cache: Path) -> None:
    settings = WorkerSettings(precision="int8", imgsz=960)
    with pytest.raises(EngineError, match="posebus engines build --precision int8 --imgsz 960 --calibrate VIDEO"):
        load_engine(settings, engine_cache)


def test_unusable_arguments_are_refused_with_a_reason(engine_cache: Path, tmp_path: Path, clip: Path) -> None:
    for arguments, words in (
        (("--precision", "int8"), "give recordings of them with --calibrate VIDEO"),
        (("--precision", "fp32", "--calibrate", clip), "only 8-bit engines are calibrated"),
        (("--precision", "int8", "--calibrate", tmp_path / "none.mp4"), "none.mp4"),
        (("--precision", "int8", "--calibrate", clip, "--annotations", tmp_path / "none.json"), "none.json"),
    ):
        done = posebus(engine_cache, "engines", "build", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        # Where reading the recordings takes long, their progress comes before the sentence.
        (sentence,) = [line for line in done.stderr.splitlines() if not line.startswith("reading ")]
        assert words in sentence


def test_other_precisions_are_exported_and_loaded(engine_cache: Path) -> None:
    done = posebus(engine_cache, "engines", "build", "--precision", "fp32", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["precision"] == "fp32"


@pytest.mark.parametrize("end_to_end", [True, False])
def test_last_layers_of_other_heads_are_found(end_to_end: bool, two_heads: dict[bool, Path]) -> None:
    import openvino

    from workers.int8.quantisation import last_layers

    network = openvino.Core().read_model(str(two_heads[end_to_end]))
    kinds = {node.get_friendly_name(): node.get_type_name() for node in network.get_ordered_ops()}
    kept = [[name for name in last_layers(network, layers) if kinds[name] == "Convolution"] for layers in (0, 1)]
    # Boxes, scores and joints, each on three scales.
    assert kept[0] == []
    assert len(kept[1]) >= 9
