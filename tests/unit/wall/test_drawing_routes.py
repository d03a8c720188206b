"""Rules and ground points from the page: what becomes of the file, of somebody else's changes, and of bad input."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from small_deployment import running
from starlette.testclient import TestClient

from tests.unit.wall.editing_page import DESK, FILE, GATE, drawing, page

URL = "/api/cameras/hall/drawing"


def put(client: TestClient, revision: object, rules: list[Any], ground: object = None) -> Any:
    return client.put(URL, json={"revision": revision, "rules": rules, "ground": ground})


def in_file(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file)["cameras"]["hall"]


def test_the_page_gets_what_the_file_says(client: TestClient) -> None:
    found = drawing(client)
    assert found["rules"] == [GATE, DESK]
    assert (found["ground"], found["size"]) == (None, None)
    assert YAML(typ="safe", pure=True).load(str(found["yaml"]))["cameras"]["hall"]["rules"]["gate"]["settle_s"] == 0.5


def test_only_what_was_drawn_changes_in_the_file(file: Path, client: TestClient) -> None:
    moved = {**GATE, "points": [[10, 40], [300, 40]]}
    answer = put(client, drawing(client)["revision"], [moved, DESK])
    assert answer.status_code == 200, answer.text
    assert "is saved" in answer.json()["saved"]
    assert file.read_text() == FILE.replace("[[10, 20], [300, 20]]", "[[10, 40], [300, 40]]")
    assert answer.json()["revision"] == drawing(client)["revision"]


def test_rules_are_added_renamed_and_removed_and_comments_stay(file: Path, client: TestClient) -> None:
    zone = {"name": "door.1", "kind": "zone", "points": [[5, 5], [90.5, 5], [90, 60]], "settings": {"max_people": 3}}
    ground = {"points": [[412, 655], [1090, 640], [820, 330], [505, 334]], "metres": [[0, 0], [4, 0], [4, 8], [0, 8]]}
    answer = put(client, drawing(client)["revision"], [GATE, zone], ground)
    assert answer.status_code == 200, answer.text
    text = file.read_text()
    assert [line for line in FILE.splitlines() if "#" in line and line not in text.splitlines()] == []
    hall = in_file(file)
    assert list(hall["rules"]) == ["gate", "door.1"]
    assert hall["rules"]["door.1"] == {"kind": "zone", "points": zone["points"], "max_people": 3}
    assert hall["ground"] == ground
    answer = put(client, answer.json()["revision"], [GATE, DESK])
    assert answer.status_code == 200, answer.text
    assert "ground" not in in_file(file)
    assert drawing(client)["rules"] == [GATE, DESK]


def test_rules_of_all_cameras_stay_where_one_camera_gets_its_own(file: Path, client: TestClient) -> None:
    shared = "defaults: {rules: {fall: {kind: fall}}}\ncameras: {hall: {source: 'usb:0'}, yard: {source: 'usb:1'}}\n"
    file.write_text(shared)
    fall = drawing(client)["rules"][0]  # type: ignore[index]
    answer = put(client, drawing(client)["revision"], [fall, GATE])
    assert answer.status_code == 200, answer.text
    assert list(in_file(file)["rules"]) == ["fall", "gate"]
    assert [rule["name"] for rule in drawing(client, "yard")["rules"]] == ["fall"]  # type: ignore[attr-defined]


def test_two_people_edit_one_zone(file: Path, client: TestClient) -> None:
    mine = theirs = drawing(client)["revision"]
    assert put(client, theirs, [{**GATE, "points": [[1, 2], [3, 4]]}]).status_code == 200
    saved = file.read_text()
    answer = put(client, mine, [{**GATE, "points": [[7, 7], [9, 9]]}, DESK])
    assert answer.status_code == 409
    assert "they changed points of gate; removed desk" in answer.json()["sentence"]
    assert answer.json()["theirs"]["rules"][0]["points"] == [[1, 2], [3, 4]]
    assert file.read_text() == saved
    # "Take mine" saves again over what the page knows now.
    again = put(client, answer.json()["theirs"]["revision"], [{**GATE, "points": [[7, 7], [9, 9]]}, DESK])
    assert again.status_code == 200
    assert in_file(file)["rules"]["gate"]["points"] == [[7, 7], [9, 9]]


def test_changes_of_other_fields_are_no_conflict(file: Path, client: TestClient) -> None:
    revision = drawing(client)["revision"]
    file.write_text(FILE.replace("max_fps: 5", "max_fps: 9"))
    assert put(client, revision, [GATE]).status_code == 200
    assert "max_fps: 9" in file.read_text()


@pytest.mark.parametrize(
    ("change", "path", "sentence"),
    [
        ({"points": [[0, 0], [9, 9], [9, 0], [0, 9]]}, "rules.desk.points", "must not cross itself"),
        ({"points": [[0, 0], [9, 9]]}, "rules.desk.points", "at least 3 points"),
        ({"kind": "zoo"}, "rules.desk", "does not exist"),
        ({"settings": {"dwel_s": 3}}, "rules.desk.dwel_s", "there is no such field; did you mean"),
        ({"settings": {"dwell_s": -1}}, "rules.desk.dwell_s", "greater than 0"),
        ({"name": "a b"}, "rules.a b", "is not allowed"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    file: Path, client: TestClient, change: dict[str, Any], path: str, sentence: str
) -> None:
    rules = [GATE, {**DESK, **change}]
    checked = client.post(f"{URL}/check", json={"rules": rules, "ground": None}).json()
    assert [(one["path"], sentence in one["sentence"]) for one in checked["problems"]] == [(path, True)]
    answer = put(client, drawing(client)["revision"], rules)
    assert (answer.status_code, answer.json()["path"]) == (400, path)
    assert sentence in answer.json()["sentence"]
    assert file.read_text() == FILE


def test_a_right_drawing_has_no_problems_and_is_yaml(client: TestClient) -> None:
    checked = client.post(f"{URL}/check", json={"rules": [GATE], "ground": None}).json()
    assert checked["problems"] == []
    assert YAML(typ="safe", pure=True).load(checked["yaml"])["cameras"]["hall"]["rules"]["gate"]["points"][1] == [
        300,
        20,
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"revision": "x", "rules": {}, "ground": null}',
        b'{"revision": "x", "rules": [7], "ground": null}',
        b'{"revision": 7, "rules": [], "ground": null}',
        b'{"revision": "x", "rules": [], "ground": []}',
        b'{"revision": "x", "rules": [], "ground": {"more": 1}}',
        b'{"revision": "x", "rules": [], "ground": null, "source": "rtsp://x"}',
        b'{"revision": "x", "rules": [{"name": "a", "kind": "zone", "points": NaN}], "ground": null}',
        b'{"revision": "x", "rules": [{"name": "a", "kind": "zone", "settings": {"kind": "line"}}], "ground": null}',
        b'{"revision": "x", "rules": [{"name": "a\\u0000", "kind": "zone"}], "ground": null}',
        b'{"revision": "x", "rules": [{"name": "a", "kind": "fall"}, {"name": "a", "kind": "fall"}], "ground": null}',
        b'{"revision": "x", "rules": [{"name": "a", "kind": "fall", "settings": {"for_s": 1e999}}], "ground": null}',
        b'{"revision": "x", "rules": [{"name": "a", "kind": "line", "points": [[1,2],[' + b"9" * 4000 + b",4]]}]}",
    ],
)
def test_hostile_requests_get_a_sentence(file: Path, client: TestClient, body: bytes) -> None:
    answer = client.put(URL, content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["sentence"]
    assert file.read_text() == FILE


def test_too_large_requests_are_refused_before_they_are_read(file: Path, client: TestClient) -> None:
    answer = client.put(URL, content=json.dumps({"revision": "x", "rules": ["a" * 300_000], "ground": None}))
    assert (answer.status_code, file.read_text()) == (413, FILE)


def test_yaml_in_names_and_texts_stays_text(file: Path, client: TestClient) -> None:
    action = {"name": "gate", "kind": "action", "settings": {"labels": ["a: {b: *c}", "# no", "- x", "yes"]}}
    file.write_text(FILE.replace("    rules:\n", "    actions: builtin\n    rules:\n"))
    answer = put(client, drawing(client)["revision"], [action])
    assert answer.status_code == 200, answer.text
    assert in_file(file)["rules"]["gate"]["labels"] == ["a: {b: *c}", "# no", "- x", "yes"]


def test_a_full_disk_leaves_the_file_and_says_so(
    file: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = drawing(client)["revision"]

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("posebus.config.editing.config_file.os.fsync", full)
    answer = put(client, revision, [GATE])
    assert answer.status_code == 503
    assert "cannot be replaced: No space left on device" in answer.json()["sentence"]
    assert file.read_text() == FILE
    assert sorted(path.name for path in file.parent.iterdir()) == ["posebus.yaml"]


def test_a_file_that_may_only_be_read_stays(file: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posebus.config.editing.config_file.os.access", lambda path, mode: False)
    answer = put(client, drawing(client)["revision"], [GATE])
    assert (answer.status_code, file.read_text()) == (503, FILE)
    assert "only read it" in answer.json()["sentence"]


def test_a_file_with_mistakes_is_named_with_their_lines(file: Path, client: TestClient) -> None:
    revision = drawing(client)["revision"]
    broken = FILE.replace("workers: 1", "workers: many")
    file.write_text(broken)
    for answer in (client.get(URL), put(client, revision, [GATE])):
        assert answer.status_code == 400
        assert "posebus.yaml:15:" in answer.json()["sentence"]
    assert file.read_text() == broken


def test_without_a_file_and_a_deployment_the_page_is_told_to_copy(file: Path) -> None:
    with page(None) as client:
        answer = client.get(URL)
        assert answer.status_code == 503
        assert "copy the YAML" in answer.json()["sentence"]


def test_unknown_cameras_are_named(client: TestClient) -> None:
    answer = client.get("/api/cameras/hal/drawing")
    assert answer.status_code == 404
    assert "there are: hall, yard" in answer.json()["sentence"]


def test_a_running_deployment_follows_and_the_answer_says_so(file: Path, client: TestClient) -> None:
    with running(file, file.parent / "sockets") as small:
        answer = put(client, drawing(client)["revision"], [GATE])
        assert "in force as soon as the broker answers" in answer.json()["saved"]
        assert list(small.settings.cameras["hall"].rules) == ["gate"]


def test_the_file_of_the_deployment_with_the_same_broker_is_found(file: Path) -> None:
    file.write_text("redis: redis://127.0.0.1:1\n" + FILE)
    with running(file, file.parent / "sockets"):
        with page(None, redis="redis://localhost:1/") as client:
            assert put(client, drawing(client)["revision"], [GATE]).status_code == 200
        with page(None, redis="redis://127.0.0.1:2") as other:
            assert other.get(URL).status_code == 503
    assert "desk" not in file.read_text()
