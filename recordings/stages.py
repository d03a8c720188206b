"""The modules that run the three stages on this machine."""

from __future__ import annotations

from posebus.runtime.fleet import StageModules

STAGES = StageModules(worker="workers", tracker="tracking", ingest="ingest")
