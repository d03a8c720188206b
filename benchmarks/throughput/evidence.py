"""What keeping pictures for events costs ingest: processor time a frame with and without, and bytes in the broker.

    python -m benchmarks.throughput.evidence CLIP...

Each clip is captured as fast as possible, on a broker of its own; frames are deleted as if workers had taken them.
Processor time is that of all threads, and the lowest of three runs counts.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from ingest.process import build_capture
from posebus.bus.redis.connection import Broker, open_broker
from posebus.config.settings import CameraSettings
from posebus.runtime.embedded import EmbeddedBroker

RUNS = 3
SECONDS = 8.0
"""Of each clip."""


def captured(broker: Broker, clip: str, evidence: str) -> tuple[float, int, int, int]:
    """Milliseconds of processor time a frame, frames, pictures in the ring and its bytes."""
    broker.client.flushall()
    settings = CameraSettings.model_validate(
        {"source": clip, "evidence": evidence, "max_size_px": None, "end_s": SECONDS}
    )
    stage = build_capture("bench", settings, broker, events_kept=100)
    frames, key = broker.topology.frames("bench"), broker.topology.evidence("bench")
    begun_s = time.process_time()
    while stage.step(time.monotonic()):
        broker.client.xtrim(frames, maxlen=0, approximate=False)
    ring = stage.admission.ring
    if ring is not None:
        ring.close()
    spent_s = time.process_time() - begun_s
    number = int(stage.report().captures["bench"].frames or 0)
    size: Any = broker.client.memory_usage(key, samples=0) or 0
    kept = broker.client.xlen(key)
    stage.close()
    return 1000 * spent_s / max(1, number), number, kept, int(size)


def main(clips: list[str]) -> None:
    """Print a row for each clip."""
    print("| clip | frames | off, ms | on, ms | ratio | pictures | kB each |")
    print("|---|---|---|---|---|---|---|")
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        for clip in clips:
            off = min(captured(broker, clip, "off") for _ in range(RUNS))
            on = min(captured(broker, clip, "on") for _ in range(RUNS))
            each = on[3] / max(1, on[2]) / 1000
            name = clip.rpartition("/")[2]
            print(f"| {name} | {off[1]} | {off[0]:.2f} | {on[0]:.2f} | {on[0] / off[0]:.2f} | {on[2]} | {each:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
