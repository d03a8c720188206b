"""What is left of a run, by the summaries in its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posebus.errors import OutputError
from recordings.continuing.book import SummaryBook
from recordings.continuing.folder import run_folder
from recordings.continuing.history import read_history
from recordings.continuing.identity import identity_of
from recordings.continuing.plan import RunPlan, Wish, plan_anew, plan_run
from recordings.fleet_watch import Workers
from recordings.inputs import WHOLE
from recordings.results.result_files import ResultFiles
from recordings.summary import summarise

FACTS: dict[str, Any] = {
    "settings": {"worker": {"imgsz": 320, "conf": 0.1}, "workers": 1},
    "model": {"name": "yolo11n-pose", "sha256": "ab"},
    "versions": {"posebus": "1"},
}


def wish(folder: Path, name: str, content: str = "video") -> Wish:
    path = folder / f"{name}.mp4"
    if not path.exists():
        path.write_text(content)
    return Wish(str(path), name, identity_of(str(path)))


def entry(name: str) -> dict[str, Any]:
    source = {"duration_s": 1.0}
    return {"name": name, "frames": 3, "processing_s": 1.0, "dropped": 0, "source": source}


def finished(out: Path, wishes: list[Wish], done: list[str], *, ended: bool = False) -> None:
    """The state of a run with these inputs, of which some are finished."""
    out.mkdir(exist_ok=True)
    summary = summarise([], Workers("openvino", "bf16", 320), 1.0, {})
    summary["inputs"] = [entry(name) for name in done]
    for name in done:
        for ending in (".tracks.jsonl", ".mot.txt", ".people.csv", ".events.jsonl"):
            (out / f"{name}{ending}").touch()
    book = SummaryBook(out, "summary.json")
    book.begin({**summary, **FACTS, "sources": {one.wanted: one.identity for one in wishes}})
    if ended:
        book.finish({**summary, **FACTS, "sources": {one.wanted: one.identity for one in wishes}})


def plan(out: Path, wishes: list[Wish], facts: dict[str, Any] = FACTS, busy: frozenset[str] = frozenset()) -> RunPlan:
    return plan_run(wishes, facts, read_history(out, busy), out, busy, ResultFiles(out))


def left(found: RunPlan) -> list[str]:
    return [one.name for one in found.inputs if not one.done]


def test_finished_inputs_are_skipped_and_the_others_keep_their_names(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, name) for name in ("a", "b", "c")]
    finished(out, wishes, ["b"])
    found = plan(out, wishes)
    assert left(found) == ["a", "c"]
    assert found.before is not None
    assert [one["name"] for one in found.before["inputs"]] == ["b"]
    # A name is not given to another file that comes before in the order.
    (tmp_path / "x").mkdir()
    assert [one.name for one in plan(out, [wish(tmp_path / "x", "a"), *wishes]).inputs] == ["a-2", "a", "b", "c"]


def test_a_finished_input_without_its_files_is_done_again(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a")]
    finished(out, wishes, ["a"], ended=True)
    assert left(plan(out, wishes)) == []
    (out / "a.mot.txt").unlink()
    assert left(plan(out, wishes)) == ["a"]
    assert plan(out, wishes).before is None


@pytest.mark.parametrize(
    ("facts", "difference"),
    [
        (
            {**FACTS, "settings": {"worker": {"imgsz": 640, "conf": 0.1}, "workers": 1}},
            "worker.imgsz was 320 and is 640",
        ),
        ({**FACTS, "model": {"name": "yolo11n-pose", "sha256": "cd"}}, "model.sha256 was ab and is cd"),
        ({**FACTS, "versions": {"posebus": "2"}}, "versions.posebus was 1 and is 2"),
        ({**FACTS, "part": {**WHOLE.fields(), "start_s": 1.0}}, "part.start_s was 0.0 and is 1.0"),
    ],
)
def test_results_of_other_settings_weights_and_versions_are_refused(
    tmp_path: Path, facts: dict[str, Any], difference: str
) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a")]
    finished(out, wishes, ["a"], ended=True)
    with pytest.raises(OutputError, match="--fresh to begin anew, or choose another folder with --out") as caught:
        plan(out, wishes, facts)
    assert difference in str(caught.value)
    assert [one.done for one in plan_anew(wishes, frozenset()).inputs] == [False]


def test_the_number_of_workers_changes_no_result(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a")]
    finished(out, wishes, ["a"])
    assert left(plan(out, wishes, {**FACTS, "settings": {**FACTS["settings"], "workers": 3}})) == []


def test_a_recording_that_changed_is_refused_once_it_is_finished(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a"), wish(tmp_path, "b")]
    finished(out, wishes, ["a"])
    (tmp_path / "b.mp4").write_text("another video")
    changed = [wishes[0], wish(tmp_path, "b")]
    assert left(plan(out, changed)) == ["b"]
    (tmp_path / "a.mp4").write_text("another video")
    with pytest.raises(OutputError, match=r"a\.mp4 has changed since its results in .* were made"):
        plan(out, [wish(tmp_path, "a")])


@pytest.mark.parametrize("ending", [".tracks.jsonl", ".mot.txt", ".tracks.parquet", ".people.csv", ".annotated.mp4"])
def test_files_of_unknown_origin_are_not_overwritten(tmp_path: Path, ending: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / f"a{ending}").write_text("mine")
    with pytest.raises(OutputError, match="holds files called a already"):
        plan(out, [wish(tmp_path, "a")])
    assert left(plan(out, [wish(tmp_path, "b")])) == ["b"]


@pytest.mark.parametrize(
    "content",
    [
        {"batch": "of jobs", "inputs": []},
        {"sources": {"a": 1}, "inputs": [1]},
        {"sources": {}, "inputs": [{"name": 1}]},
    ],
)
def test_a_summary_that_does_not_name_its_inputs_is_not_overwritten(tmp_path: Path, content: dict[str, Any]) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(content))
    with pytest.raises(OutputError, match=r"summary\.json does not say from which inputs"):
        plan(tmp_path, [wish(tmp_path, "a")])


def test_runs_under_way_count_for_nothing_but_their_names(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a")]
    finished(out, wishes, ["a"])
    found = plan(out, wishes, busy=frozenset({"summary.json", "a"}))
    assert left(found) == ["a-2"]
    assert found.before is None


def test_two_summaries_of_the_same_settings_are_one_history(tmp_path: Path) -> None:
    out, wishes = tmp_path / "out", [wish(tmp_path, "a"), wish(tmp_path, "b")]
    finished(out, wishes[:1], ["a"], ended=True)
    (out / "summary.json").rename(tmp_path / "kept")
    finished(out, wishes[1:], ["b"])
    (tmp_path / "kept").rename(out / "summary-2.json")
    assert left(plan(out, wishes)) == []


def test_a_run_without_a_folder_goes_on_only_where_the_same_run_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wishes = [wish(tmp_path, "a"), wish(tmp_path, "b")]

    def folder(wishes: list[Wish], facts: dict[str, Any] = FACTS, *, fresh: bool = False) -> str:
        with run_folder(None, wishes, facts, fresh=fresh) as chosen:
            return chosen.name

    finished(Path("posebus-out"), wishes, ["a"])
    assert folder(wishes) == "posebus-out"
    assert folder(wishes, fresh=True) == "posebus-out-2"
    assert folder(wishes, {**FACTS, "versions": {}}) == "posebus-out-2"
    assert folder(wishes[:1]) == "posebus-out-2", "an input of the interrupted run is missing"
    assert folder([*wishes, wish(tmp_path, "c")]) == "posebus-out", "a new recording in the folder is no other run"
    finished(Path("posebus-out"), wishes, ["a", "b"], ended=True)
    assert folder(wishes) == "posebus-out-2"
    assert {path.name for path in Path("posebus-out").glob("summary*")} == {"summary.json"}


def test_a_folder_of_pictures_is_recognised_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_text("x")
    before = identity_of(str(tmp_path))
    assert (before["bytes"], before["files"]) == (1, 1)
    (tmp_path / "2.png").write_text("y")
    assert identity_of(str(tmp_path)) != before
    assert identity_of("rtsp://user:secret@host/x") == {"path": "rtsp://***@host/x"}
    assert identity_of(str(tmp_path / "none.mp4")) == {"path": str(tmp_path / "none.mp4")}
