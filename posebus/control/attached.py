"""Open the control socket of a process that follows its settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from posebus.config.cameras.wanted import wanted_cameras
from posebus.control.deployment import BrokerReports, DeploymentControl, RunningDeployment
from posebus.runtime.following import Follower


@contextmanager
def control_socket(
    role: str, follower: Follower, children: Callable[[], Collection[int]] | None = None
) -> Iterator[None]:
    """Answer commands about this process while the context lasts, from `follower.poll`.

    role: "up" or "ingest". children: process ids of the workers and trackers that this process started; None if it
    starts none.
    """
    followed = follower.followed
    deployment = RunningDeployment(
        role,
        followed,
        BrokerReports(followed.settings.redis, followed.settings.shards),
        lambda: wanted_cameras(followed.settings, datetime.now().astimezone()).off,
        children=children,
    )
    with DeploymentControl(deployment) as control:
        follower.control = control
        yield
