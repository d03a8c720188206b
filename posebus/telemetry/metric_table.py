"""The table of all metrics. Names follow Prometheus: base units, and `_total` for counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COUNTER = "counter"
GAUGE = "gauge"
HISTOGRAM = "histogram"

# Quantiles are interpolated within a bucket, so that a bucket's width is their error: 1, 1.5, 2, 3, 5, 7.5 in a decade.
_STAGE_S = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
_AGE_S = (
    *(0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 5.0, 10.0, 30.0),
)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric. `kind` is COUNTER, GAUGE or HISTOGRAM; `buckets` are a histogram's upper bounds, ascending."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


TABLE = (
    MetricSpec(
        "posebus_stage_seconds",
        HISTOGRAM,
        # Ingest: capture (processor time of the thread that reads the source), motion (deciding whether a frame is
        # inferred), camera_motion (where the camera looks), encode, evidence (a picture for its events), publish.
        # Workers: read, decode, queue (decoded, waiting for the engine), infer, people (suppression, back to source
        # pixels, colours), commit.
        # Trackers: track (a frame), commit (a transaction).
        ("stage",),
        "Time that one step of the work took.",
        _STAGE_S,
    ),
    MetricSpec(
        "posebus_batch_frames",
        HISTOGRAM,
        (),
        "Frames that were inferred together.",
        (1, 2, 4, 8, 16, 32, 64),
    ),
    MetricSpec(
        "posebus_engine_busy_seconds_total",
        COUNTER,
        (),
        # Its rate is the busy share of the engine, 0 to 1, independent of the number of requests in flight.
        "Time in which the engine was computing.",
    ),
    MetricSpec(
        "posebus_inferences_total",
        COUNTER,
        (),
        # More than frames if frames are cut into tiles or inferred at several sizes.
        "Forward passes of the network; each tile counts.",
    ),
    MetricSpec(
        "posebus_input_pixels_total",
        COUNTER,
        (),
        # The cost of inference is nearly proportional to it, so it compares sizes and rates on any machine.
        "Pixels of all inputs of the network.",
    ),
    MetricSpec("posebus_frames_total", COUNTER, (), "Frames that this process has finished."),
    MetricSpec(
        "posebus_age_at_publish_seconds",
        HISTOGRAM,
        # frames: until ingest published the frame; poses: until a worker published its people; tracks: until a tracker
        # published their identities.
        ("stage",),
        "Time from the capture of a frame (for recordings: from its publication) until its result was published.",
        _AGE_S,
    ),
    MetricSpec(
        "posebus_frames_skipped_total",
        COUNTER,
        # Each frame is counted once, by the process that skipped it, except live frames that could not be written to
        # the broker: ingest counts them, and their tracker counts them as missing.
        ("reason",),
        "Frames that this process skipped.",
    ),
    MetricSpec(
        "posebus_frames_uninferred_total",
        COUNTER,
        # still: no motion and no people; rate: the people could be predicted well enough.
        ("reason",),
        "Frames of this process's camera that were not inferred on purpose, but predicted.",
    ),
    MetricSpec(
        "posebus_frames_enhanced_total",
        COUNTER,
        (),
        "Dark, hazy, noisy or blocky frames that were enhanced before inference.",
    ),
    MetricSpec(
        "posebus_evidence_pictures_total",
        COUNTER,
        # kept; dropped: others waited for the broker; failed: the broker refused it; late: another process is further.
        ("outcome",),
        "Reduced pictures of cameras for their events, by what became of them in ingest.",
    ),
    MetricSpec(
        "posebus_snapshots_total",
        COUNTER,
        # stored; known: there was one of this frame; no_picture: the picture has left the ring; no_tracks: what is in
        # the picture is not known, so that no heads could be blurred; bad_picture; not_written: the folder is full.
        ("outcome",),
        "Snapshots of events, by what became of them.",
    ),
    MetricSpec("posebus_frames_reclaimed_total", COUNTER, (), "Frames that were reclaimed from other workers."),
    MetricSpec("posebus_dead_letters_total", COUNTER, (), "Frames that became dead letters."),
    MetricSpec(
        "posebus_build_info",
        GAUGE,
        # Two versions at once: an update is under way.
        ("version", "python"),
        "Always 1; the labels are the versions of posebus and Python.",
    ),
    MetricSpec("posebus_process_start_time_seconds", GAUGE, (), "When the process started (Unix time)."),
    # The following are computed by `posebus metrics` from the same reports.
    MetricSpec("posebus_camera_online", GAUGE, ("camera",), "Whether the camera delivers frames: 1 or 0."),
    MetricSpec(
        "posebus_camera_state",
        GAUGE,
        # Those of posebus.telemetry.camera_state, and "no ingest".
        ("camera", "state"),
        "1 for the state of the camera, 0 for all other states.",
    ),
    MetricSpec("posebus_camera_frames_per_second", GAUGE, ("camera",), "Frames that ingest publishes a second."),
    MetricSpec(
        "posebus_camera_frames_total",
        COUNTER,
        # frames: published by ingest; tracks: published with identities by the camera's tracker.
        ("camera", "stage"),
        "Frames of the camera that reached this stage.",
    ),
    MetricSpec(
        "posebus_camera_backlog_seconds",
        GAUGE,
        # live: what more workers shorten; lossless: what a recording waits for anyway.
        ("camera", "delivery"),
        "Age of the oldest frame that waits in the broker for a worker or is being inferred.",
    ),
    MetricSpec("posebus_camera_backlog_bytes", GAUGE, ("camera",), "Pictures that wait in the broker for a worker."),
    MetricSpec("posebus_camera_backlog_frames", GAUGE, ("camera",), "Pictures that wait in the broker for a worker."),
    MetricSpec(
        "posebus_camera_dropped_frames_total",
        COUNTER,
        ("camera", "reason"),
        "Frames of the camera without tracks, by reason.",
    ),
    MetricSpec("posebus_camera_people", GAUGE, ("camera",), "People in the newest frame of the camera."),
    MetricSpec(
        "posebus_camera_age_seconds",
        GAUGE,
        ("camera",),
        "Median age of the camera's last frames when their tracks were published.",
    ),
    MetricSpec(
        "posebus_camera_imgsz_pixels",
        GAUGE,
        ("camera",),
        "Longest side of the network's input that was chosen for the camera, or of each of its tiles.",
    ),
    MetricSpec(
        "posebus_camera_infer_interval_seconds",
        GAUGE,
        ("camera",),
        "Minimum time between two inferred frames of the camera; 0: every frame.",
    ),
    MetricSpec(
        "posebus_sink_events_total",
        COUNTER,
        # delivered; undelivered: given up and kept; lost: left the stream before they could be sent.
        ("sink", "state"),
        "Messages that the sink has done with, by what became of them.",
    ),
    MetricSpec(
        "posebus_sink_waiting_events", GAUGE, ("sink",), "Messages that wait for the sink, unread ones included."
    ),
    MetricSpec("posebus_sink_failing", GAUGE, ("sink",), "Whether the sink fails at present: 1 or 0."),
    MetricSpec("posebus_processes_ready", GAUGE, ("role",), "Processes of this role that can work, 0 without any."),
    MetricSpec(
        "posebus_broker_memory_used_bytes",
        GAUGE,
        ("broker",),
        "Memory that this server of the broker uses.",
    ),
    MetricSpec(
        "posebus_broker_memory_limit_bytes", GAUGE, ("broker",), "maxmemory of this server; missing where it has none."
    ),
    MetricSpec("posebus_up", GAUGE, (), "Whether the broker answered: 1 or 0. Without an answer there are no others."),
)
"""All metrics."""

BY_NAME: Mapping[str, MetricSpec] = {spec.name: spec for spec in TABLE}
