"""A whole deployment on a Redis Cluster of three nodes, one of which is killed in the middle."""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.run_command import posebus

from posebus.bus.redis.cluster import ClusterClient
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.subscribing.subscription import Message
from posebus.topology import Topology
from posebus_cli.doctor import check_broker
from posebus_cli.doctor.findings import FINE, NOTE
from tests.brokers import PERSISTENT, Cluster
from tests.clips import head
from tests.faults.broker_runs import Recovery, deployment, leave_alone, run

SHARDS = 8


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, *PERSISTENT) as running:
        yield running


def cameras_by_node(cluster: Cluster) -> dict[int, str]:
    """One camera for each of the three nodes, by the port of the node."""
    topology = Topology(SHARDS)
    names = (f"cam-{number:03d}" for number in range(1000))
    found: dict[int, str] = {}
    while len(found) < len(cluster.nodes):
        name = next(names)
        found.setdefault(cluster.node_of(topology.frames(name)).port, name)
    return found


def test_lossless_run_on_a_cluster_is_exact_though_a_node_is_killed(
    cluster: Cluster, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cameras = list(cameras_by_node(cluster).values())
    victim = random.choice(cluster.nodes)
    recovery = Recovery()
    seen = itertools.count()

    def disturb(message: Message) -> None:
        recovery.see(message)
        if next(seen) == 50:
            victim.kill()
            time.sleep(0.5)
            victim.start()
            cluster.wait_until_whole()
            recovery.begin("killed")

    clip = head(shared_data / "TUD-Stadtmitte.mp4", 60, tmp_path / "clip.mp4")
    settings = deployment(clip, cluster.url, ["calm", *cameras], SHARDS)
    public = run(settings, (["calm"], leave_alone), (cameras, disturb))
    with capsys.disabled():
        sys.stdout.write(f"\nfrom the cluster's return to the next frame: {recovery}\n")
    for camera in cameras:
        assert public[camera].tracks == public["calm"].tracks, camera
        assert public[camera].events == public["calm"].events, camera

    finding = check_broker.broker(cluster.url, SHARDS)
    assert (finding.status, "a cluster of 3 nodes" in finding.text) == (FINE, True), finding
    assert check_broker.broker(cluster.url, 1).status == NOTE
    config = tmp_path / "posebus.yaml"
    config.write_text(f"shards: {SHARDS}\nredis: {cluster.nodes[2].url}\n")
    shown = posebus(tmp_path, "top", "--json", "-c", config)
    assert {row["name"] for row in json.loads(shown.stdout)["cameras"]} == {"calm", *cameras}
    scraped = posebus(tmp_path, "metrics", "--once", "-c", config)
    assert "posebus_up 1.0" in scraped.stdout
    forgotten = posebus(tmp_path, "forget", "calm", *cameras, "-c", config)
    assert forgotten.returncode == 0, forgotten.stderr
    broker = open_broker(cluster.url, SHARDS)
    assert Registry(broker).cameras() == []
    left = [key for client in broker.servers().values() for key in client.scan_iter("posebus:*:frames:*")]
    assert left == []
    refused = posebus(tmp_path, "submit", shared_data / "vtest.avi", "--out", tmp_path, "-c", config)
    assert "is a Redis Cluster, in which RQ cannot keep a queue" in refused.stderr
    assert refused.returncode == 1


def test_slot_that_moves_is_followed(cluster: Cluster) -> None:
    broker = open_broker(f"redis://127.0.0.1:1,{cluster.url.removeprefix('redis://')}", SHARDS)
    assert isinstance(broker.client, ClusterClient)
    keys = [f"posebus:{{{shard}}}:state:door" for shard in range(SHARDS)]
    for key in keys:
        broker.client.set(key, "before")
    script = broker.client.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
    for key in keys:
        assert script(keys=[key], args=["script"]) in (b"OK", "OK")
    slot = int(broker.client.execute_command("CLUSTER KEYSLOT", keys[0]))
    source = cluster.node_of(keys[0])
    target = next(node for node in cluster.nodes if node is not source)
    ids = {node.port: node.client().execute_command("CLUSTER MYID").decode() for node in cluster.nodes}
    target.client().execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source.port])
    source.client().execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target.port])
    source.client().execute_command("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000)
    for node in cluster.nodes:
        node.client().execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target.port])
    assert broker.client.get(keys[0]) == b"script"
    with broker.client.pipeline(transaction=True) as pipeline:
        pipeline.watch(keys[0])
        assert pipeline.get(keys[0]) == b"script"
        pipeline.multi()
        pipeline.set(keys[0], "after")
        assert pipeline.execute() == [True]
    assert target.client().get(keys[0]) == b"after"
