"""What the page reads out of the network's output is what a worker reads out of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from posebus.arrays import Float32Array
from tests.wall.front_web import web_folder
from workers.detections import Head, Limits
from workers.images.preprocess import Letterbox
from workers.outputs.postprocess import detections_from_output

SCORE, IOU, PEOPLE = 0.2, 0.7, 12
"""Those of the page."""
PROGRAM = """
import { letterbox, peopleOf } from "./decode.mjs";
let text = "";
for await (const part of process.stdin) text += part;
const cases = JSON.parse(text);
process.stdout.write(JSON.stringify(cases.map(({ size, imgsz, output, columns }) => {
  const box = letterbox(size[0], size[1], imgsz);
  return { input: box.input, people: peopleOf(new Float32Array(output), columns, box) };
})));
"""


@pytest.fixture(scope="module")
def program(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decode")
    web = web_folder(run_folder)
    source, target = web / "src" / "camera" / "network" / "decode.ts", folder / "decode.mjs"
    command = [str(web / "node_modules" / ".bin" / "esbuild"), str(source), "--format=esm", f"--outfile={target}"]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "program.mjs").write_text(PROGRAM)
    return folder / "program.mjs"


def crowd(rng: np.random.Generator, input_px: tuple[int, int]) -> Float32Array:
    """An output (56, N): people, each found by several candidates, among many unlikely ones."""
    columns = []
    for _ in range(rng.integers(1, 9)):
        centre, size = rng.uniform(20, np.array(input_px) - 20), rng.uniform(20, 120, 2)
        for _ in range(rng.integers(1, 6)):
            box = np.concatenate([centre + rng.normal(0, 3, 2), size * rng.uniform(0.9, 1.1, 2)])
            joints = np.column_stack([rng.uniform(0, input_px, (17, 2)), rng.uniform(0, 1, 17)])
            columns.append(np.concatenate([box, [rng.uniform(0.1, 1.0)], joints.ravel()]))
    columns += [np.concatenate([rng.uniform(1, 200, 4), [rng.uniform(0, 0.1)], np.zeros(51)]) for _ in range(200)]
    return np.ascontiguousarray(np.array(columns, np.float32)[rng.permutation(len(columns))].T)


def test_the_page_reads_the_same_people_as_a_worker(program: Path) -> None:
    rng = np.random.default_rng(5)
    cases, expected = [], []
    for size, imgsz in [((640, 480), 320), ((480, 640), 416), ((1280, 720), 640), ((333, 517), 256), ((64, 48), 320)]:
        letterbox = Letterbox.fit(size, imgsz)
        output = crowd(rng, letterbox.input_px)
        head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)
        found = detections_from_output(output, head, Limits(conf=SCORE, iou=IOU, max_people=PEOPLE))
        expected.append((letterbox.input_px, letterbox.people_to_source(found, size)))
        values = output.ravel().astype(float).tolist()
        cases.append({"size": size, "imgsz": imgsz, "output": values, "columns": output.shape[1]})
    done = subprocess.run(
        ["node", str(program)], input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=120
    )
    for read, (input_px, people) in zip(json.loads(done.stdout), expected, strict=True):
        assert tuple(read["input"]) == input_px
        assert len(read["people"]) == len(people.scores) > 0
        for name, values in (
            ("score", people.scores),
            ("box", people.boxes_xyxy_px),
            ("keypoints", people.keypoints_px),
        ):
            np.testing.assert_allclose([person[name] for person in read["people"]], values, atol=0.01)
