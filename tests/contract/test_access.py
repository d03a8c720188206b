"""deploy/users.acl in a real redis-server: each role may do its work (test_compose_stages) and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import samples

from posebus.bus.former_keys import former_attempts, former_reclaim_lock
from posebus.bus.redis.connection import connect, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.loading import dump_settings
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.contract.public_json import dump, event_fields, track_frame_to_json
from posebus.errors import BrokerRefused
from posebus.messages import Delivery
from posebus.sinks.delivering.explaining import event_fate
from posebus.sinks.delivering.letters import Letters
from posebus.sinks.delivering.records import Records
from posebus.sinks.delivering.replay import replay_letters
from posebus.sinks.webhook.spec import open_webhook
from posebus.subscribing.pictures import next_picture
from posebus.subscribing.subscriber import subscribe
from posebus.topology import Topology
from tests.conftest import ROOT
from tests.deliveries import SinkHere, event
from tests.polling import wait_until
from tests.secured_broker import SecuredBroker, secured_broker
from tests.webhook_receiver import Receiver, Reply

ROLES = ("ingest", "worker", "tracker", "evidence", "deliver", "subscriber", "operator", "monitor", "live_wall")
MAY_ADD = {
    "frames:door": {"ingest", "operator"},
    "poses:door": {"ingest", "worker"},
    "tracks:door": {"tracker"},
    "events": {"ingest", "tracker"},
    "dead": {"worker"},
    "evidence:door": {"ingest"},
    "snapshots:door": {"evidence"},
    "undelivered:hook": {"deliver"},
}
MAY_READ = {
    "frames:door": {"worker", "operator", "live_wall"},
    "poses:door": {"tracker", "operator"},
    "tracks:door": {"tracker", "evidence", "deliver", "subscriber", "operator", "live_wall"},
    "events": {"tracker", "evidence", "deliver", "subscriber", "operator", "live_wall"},
    "dead": {"operator"},
    "evidence:door": {"evidence", "operator", "live_wall"},
    "snapshots:door": {"evidence", "operator", "live_wall"},
    "undelivered:hook": {"deliver", "operator", "live_wall"},
}
READING = (
    ("XRANGE", "KEY", "-", "+"),
    ("XREVRANGE", "KEY", "+", "-"),
    ("XREAD", "STREAMS", "KEY", "0"),
    ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "KEY", ">"),
    ("XCLAIM", "KEY", "g", "c", "0", "1-1"),
    ("XAUTOCLAIM", "KEY", "g", "c", "0", "0"),
    ("COPY", "KEY", "posebus:{0}:copy"),
    ("RENAME", "KEY", "posebus:{0}:tracks:copy"),
    ("DUMP", "KEY"),
    ("SORT", "KEY"),
)
FORBIDDEN = (
    "FLUSHALL",
    "FLUSHDB",
    "SHUTDOWN",
    "KEYS *",
    "SCAN 0",
    "RANDOMKEY",
    "CONFIG GET *",
    "CONFIG SET requirepass x",
    "ACL LIST",
    "ACL SETUSER ingest +@all",
    "ACL SAVE",
    "DEBUG SLEEP 1",
    "MONITOR",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "CLIENT PAUSE 1000",
    "SCRIPT FLUSH",
    "FUNCTION FLUSH",
    "MODULE LIST",
    "REPLICAOF host 1",
    "BGSAVE",
    "BGREWRITEAOF",
    "SLOWLOG GET",
    "SWAPDB 0 1",
    "PUBLISH channel x",
    "SUBSCRIBE channel",
    "SET other x",
    "GET other",
    "SET posebus:{0}:other x",
    "GET posebus:{0}:other",
    "DEL posebus:{0}:cameras",
    "XTRIM posebus:{0}:tracks:door MAXLEN 0",
    "XGROUP DESTROY posebus:{0}:frames:door workers",
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A connection as an additional user that may query the rights of the others."""
    admin = "user admin on nopass ~* &* +@all\n"
    with secured_broker(tmp_path_factory.mktemp("secured"), more_users=admin) as started:
        yield started


@pytest.fixture(scope="module")
def admin(broker: SecuredBroker) -> redis.Redis:
    return connect(broker.url("operator").replace("operator:", "admin:"))


def may(admin: redis.Redis, role: str, *words: str) -> bool:
    """Whether the broker would run this for the user `role`."""
    return bool(admin.execute_command("ACL", "DRYRUN", role, *words) == b"OK")


def test_only_the_writers_of_a_stream_may_add_to_it(admin: redis.Redis) -> None:
    found = {
        kind: {role for role in ROLES if may(admin, role, "XADD", f"posebus:{{0}}:{kind}", "*", "a", "b")}
        for kind in MAY_ADD
    }
    assert found == MAY_ADD


def test_only_the_readers_of_a_stream_may_read_it_by_any_command(admin: redis.Redis) -> None:
    found = {
        kind: {
            role
            for role in ROLES
            for command in READING
            if may(admin, role, *(word.replace("KEY", f"posebus:{{0}}:{kind}") for word in command))
        }
        for kind in MAY_READ
    }
    assert found == MAY_READ


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_change_the_server_or_other_keys(admin: redis.Redis, role: str) -> None:
    assert [command for command in FORBIDDEN if may(admin, role, *command.split())] == []


def test_jobs_may_use_their_keys_and_no_server_command(admin: redis.Redis) -> None:
    allowed = {command for command in FORBIDDEN if may(admin, "jobs", *command.split())}
    assert {command for command in allowed if "posebus:{0}:" not in command} <= {"SCAN 0", "RANDOMKEY", "CLIENT LIST"}


@pytest.mark.parametrize(
    ("role", "lease"), [("tracker", "ingest"), ("ingest", "tracker"), ("worker", "tracker"), ("subscriber", "ingest")]
)
def test_no_role_may_take_a_lease_of_another_role(admin: redis.Redis, role: str, lease: str) -> None:
    key = f"posebus:{{0}}:lease:door:{lease}"
    assert not may(admin, role, "SET", key, "x")
    assert not may(admin, role, "DEL", key)
    assert not may(admin, role, "PEXPIRE", key, "1")


def test_the_default_user_cannot_log_in(broker: SecuredBroker) -> None:
    address = f"rediss://localhost:{broker.port}/0?ssl_ca_certs={broker.secrets / 'ca.pem'}"
    with pytest.raises(BrokerRefused, match=r"check user and password|wants a password"):
        open_broker(address)


def test_commands_in_a_script_need_their_own_rights(broker: SecuredBroker) -> None:
    opened = open_broker(broker.url("ingest"))
    ingest = opened.client
    keys = [f"posebus:{{0}}:{kind}" for kind in ("frames:door", "events", "checkpoint:door")]
    script = "redis.call('XADD', KEYS[1], '*', 'a', 1); redis.call('XADD', KEYS[2], '*', 'a', 1)"
    ingest.register_script(f"{script}; redis.call('HSET', KEYS[3], 'epoch', 1)")(keys)
    for forbidden in ("'XRANGE', KEYS[1], '-', '+'", "'XADD', 'posebus:{0}:tracks:door', '*', 'a', 1"):
        with pytest.raises(BrokerRefused, match=r"does not allow this user EVAL .*can't"), opened.errors():
            ingest.eval(f"return redis.call({forbidden})", 1, keys[0])
    with pytest.raises(redis.exceptions.NoPermissionError):
        ingest.eval("return 1", 1, "posebus:{0}:tracks:door")


def test_a_missing_right_is_reported_with_command_and_key(broker: SecuredBroker) -> None:
    Registry(open_broker(broker.url("ingest"))).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    with pytest.raises(BrokerRefused) as caught:
        subscribe(broker.url("subscriber"), kinds=["poses"])
    message = str(caught.value)
    assert "does not allow this user XREVRANGE posebus:{0}:poses:door (" in message
    assert "deploy/users.acl" in message
    assert broker.password("subscriber") not in message
    worker = open_broker(broker.url("worker"))
    pipeline = worker.client.pipeline(transaction=True)
    pipeline.xadd("posebus:{0}:tracks:door", {"a": 1})
    with pytest.raises(BrokerRefused, match=r"XADD posebus:\{0\}:tracks:door"), worker.errors():
        pipeline.execute()


def test_a_role_that_may_only_read_leaves_silent_processes_registered(
    broker: SecuredBroker, admin: redis.Redis
) -> None:
    admin.hset("posebus:{0}:processes", "worker-gone", '{"role": "worker", "at_ns": 0}')
    assert Registry(open_broker(broker.url("monitor"))).processes() == {}
    assert admin.hexists("posebus:{0}:processes", "worker-gone")
    assert Registry(open_broker(broker.url("operator"))).processes() == {}
    assert not admin.hexists("posebus:{0}:processes", "worker-gone")


def test_an_operator_may_take_a_picture(broker: SecuredBroker) -> None:
    assert next_picture(open_broker(broker.url("operator")), "door", 0.1) is None


def test_a_sink_needs_only_the_rights_of_a_subscriber(
    broker: SecuredBroker, admin: redis.Redis, tmp_path: Path
) -> None:
    Registry(open_broker(broker.url("ingest"))).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    settings = Settings(redis=broker.url("subscriber"), sinks={"log": SinkSettings(sink="jsonl", after="start")})
    settings.sinks["log"].options["path"] = str(tmp_path / "log.jsonl")
    dump_settings(settings, tmp_path / "settings.yaml")
    program = [sys.executable, "-m", "posebus.sinks", "--config", str(tmp_path / "settings.yaml"), "--name", "log"]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(program, cwd=ROOT, stderr=errors)
    try:
        data = dump(track_frame_to_json(samples.track_frame(1), samples.PROVENANCE, 7))
        admin.xadd("posebus:{0}:tracks:door", {"data": data})
        written = tmp_path / "log.jsonl"
        wait_until(lambda: written.exists() and written.read_text(), lambda: (tmp_path / "errors").read_text(), 60)
    finally:
        process.terminate()
    assert process.wait(60) == 0, (tmp_path / "errors").read_text()
    assert "posebus top does not show this sink" in (tmp_path / "errors").read_text()
    assert broker.password("subscriber") not in (tmp_path / "errors").read_text()


def test_the_role_deliver_may_all_that_sinks_do_and_operators_may_ask_about_events(
    broker: SecuredBroker, admin: redis.Redis
) -> None:
    answers = {1: 200, 2: 404, 3: 500}
    with Receiver(lambda request: Reply(answers[request.event["data"]["track_id"]])) as receiver:
        chosen = SinkSettings(sink="webhook", after="start", types=["posebus.line.*"], options={"url": receiver.url})
        settings = Settings(redis=broker.url("deliver"), sinks={"hook": chosen})
        with SinkHere(settings, "hook", open_broker(broker.url("deliver"))) as sink:
            events = [*(event(1, track) for track in answers), event(2, kind="posebus.zone.left")]
            for one in events:
                admin.xadd("posebus:{0}:events", event_fields(one))
            sink.until(lambda: admin.hlen("posebus:{0}:deliveries:hook") == len(events), "the records")
            operator = open_broker(broker.url("operator"))
            fates = [event_fate(operator, one.id, {}).sinks for one in events]
            states = {at.record.state for fate in fates for at in fate if at.sink == "hook" and at.record is not None}
            assert states == {"delivered", "undelivered", "waiting", "filtered"}
            assert [letter.event.id for letter in Letters(operator, "hook").all()] == [event(1, 2).id]
        Records(open_broker(broker.url("deliver")), "hook", "sink-hook").trim("door", 0)
        answers[2] = 200
        replayed = replay_letters(open_broker(broker.url("deliver")), "hook", open_webhook({"url": receiver.url}))
        assert [why for _, why in replayed] == [None]


def test_an_operator_may_remove_a_camera(broker: SecuredBroker) -> None:
    Registry(open_broker(broker.url("ingest"))).add_camera(CameraRecord("gate", Delivery.LIVE, "network"))
    registry = Registry(open_broker(broker.url("operator")))
    assert "gate" in {record.camera for record in registry.cameras()}
    registry.remove_camera("gate")
    assert "gate" not in {record.camera for record in registry.cameras()}


def test_workers_may_use_keys_by_their_former_names_and_operators_may_delete_them(broker: SecuredBroker) -> None:
    former = (former_attempts(Topology(), "door"), former_reclaim_lock(Topology(), 0))
    worker = connect(broker.url("worker"))
    worker.hset(former[0], "1-1", "[]")
    worker.set(former[1], "w1", px=1000)
    assert (worker.hmget(former[0], ["1-1"]), worker.exists(former[1])) == ([b"[]"], 1)
    for role in set(ROLES) - {"worker"}:
        with pytest.raises(redis.exceptions.NoPermissionError):
            connect(broker.url(role)).hget(former[0], "1-1")
    assert connect(broker.url("operator")).delete(former[0]) == 1
