"""Health check of a container: `python health.py worker` fails unless a worker of this host reported just now.

Every process of posebus reports to the broker about once a second, from the loop that does its work. A process that
hangs, or that cannot reach the broker, stops reporting.
"""

from __future__ import annotations

import os
import socket
import sys

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.errors import PoseBusError
from posebus.telemetry.reports import process_reports


def check(url: str, role: str, host: str) -> str | None:
    """None if a process of `role` on `host` is alive, else a sentence. Raises PoseBusError without a broker."""
    reports = process_reports(Registry(open_broker(url))).values()
    if any(report.role == role and report.host == host for report in reports):
        return None
    return f"no {role} of {host} has reported to the broker in the last seconds"


def main() -> None:
    role = sys.argv[1]
    try:
        problem = check(os.environ["POSEBUS_REDIS"], role, socket.gethostname())
    except PoseBusError as error:
        problem = str(error)
    sys.exit(problem)


if __name__ == "__main__":
    main()
