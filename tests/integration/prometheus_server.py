"""A real Prometheus that scrapes one target each second, for tests."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import missing
from tests.polling import wait_until
from tests.ports import free_port


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`, which come together."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed (on Debian: apt install --no-install-recommends prometheus)")
    return str(found)


class Prometheus:
    """The server at a port of this machine."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, **parameters: str) -> Any:
        """The field `data` of the answer of its HTTP API; an answer that is an error fails the test."""
        address = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def query(self, text: str) -> list[tuple[dict[str, str], float]]:
        """(labels, value) of each series of an instant query now."""
        data = self.ask("query", query=text)
        assert data["resultType"] == "vector", text
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5):
                return True
        except OSError:
            return False


@contextlib.contextmanager
def prometheus(folder: Path, target: str, rules: Path) -> Iterator[Prometheus]:
    """Prometheus with `rules`, as the job `posebus` at `target`, HOST:PORT; its data are in `folder`."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "posebus", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [program("prometheus"), "--config.file", "prometheus.yaml", "--storage.tsdb.path", "data"]
    command += ["--web.listen-address", f"127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            server = Prometheus(port)
            wait_until(server.ready, lambda: "Prometheus answers; " + (folder / "prometheus.log").read_text()[-2000:])
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)
