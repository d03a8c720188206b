"""Which part of a package stands on which: each package as floors of units, lowest floor first.

A unit is a folder with all below it, or a module at the package's root. Code may import its own unit and units of
lower floors. Units of one floor do not import each other, so there is no cycle between folders.
"""

from __future__ import annotations

FLOORS: dict[str, tuple[frozenset[str], ...]] = {
    "posebus": (
        frozenset(
            {
                "arrays",
                "backoff",
                "coco",
                "errors",
                "event_types",
                "machine",
                "plain_text",
                "square_pixels",
                "topology",
                "wording",
            }
        ),
        frozenset({"boxes", "installed", "views"}),
        frozenset({"messages"}),
        frozenset({"contract", "privacy"}),
        frozenset({"config"}),
        frozenset({"schema_parts"}),
        frozenset({"logs", "json_schemas"}),
        frozenset({"bus", "reloading"}),
        frozenset({"subscribing", "telemetry"}),
        frozenset({"endpoints", "explaining"}),
        frozenset({"runtime", "tables"}),
        frozenset({"control", "sinks"}),
        frozenset({"changing"}),
    ),
    "ingest": (
        frozenset({"discovery", "sources"}),
        frozenset({"reading", "gate", "camera_motion"}),
        frozenset({"publishing"}),
        frozenset({"camera_status", "keeping", "resuming"}),
        frozenset({"announcing", "leaving", "ownership", "report"}),
        frozenset({"capture", "off_cameras", "removal", "supervision"}),
        frozenset({"process"}),
    ),
    "workers": (
        frozenset({"detections"}),
        frozenset({"outputs", "weights"}),
        frozenset({"images"}),
        frozenset({"engines", "job"}),
        frozenset({"inference", "keypoints"}),
        frozenset({"engine_loading", "int8", "intake"}),
        frozenset({"pose_stage"}),
        frozenset({"swapping"}),
        frozenset({"process"}),
    ),
    "tracking": (
        frozenset({"body_model", "compiled", "square_pixels"}),
        frozenset({"detections", "feet", "geometry", "motion"}),
        frozenset({"tracks"}),
        frozenset({"matching"}),
        frozenset({"second_thoughts"}),
        frozenset({"snapshot"}),
        frozenset({"identities"}),
        frozenset({"linking"}),
        frozenset({"tracker"}),
        frozenset({"actions", "ground", "ordering", "policies", "region", "rules"}),
        frozenset({"events"}),
        frozenset({"warm_up"}),
        frozenset({"camera_tracking"}),
        frozenset({"track_stage"}),
        frozenset({"process"}),
    ),
    "recordings": (
        frozenset({"inputs", "interrupts", "privacy", "progress", "stages"}),
        frozenset({"calibration_frames", "fleet_watch", "results"}),
        frozenset({"recording_analysis"}),
        frozenset({"summary"}),
        frozenset({"analyse", "continuing"}),
        frozenset({"drawing", "rules"}),
        frozenset({"own_fleet"}),
        frozenset({"live", "run"}),
        frozenset({"jobs"}),
    ),
    "evidence": (
        frozenset({"choosing", "stores"}),
        frozenset({"drawing"}),
        frozenset({"clip", "stage"}),
        frozenset({"process"}),
    ),
    "wall": (
        frozenset({"access", "context"}),
        frozenset({"live"}),
        frozenset({"browser_camera", "editing", "views"}),
        frozenset({"app"}),
        frozenset({"serving"}),
    ),
    "posebus_cli": (
        frozenset({"import_path", "options", "wall_beside"}),
        frozenset({"analyse", "change", "doctor", "observe", "operate"}),
        frozenset({"deliver", "rules", "wall"}),
        frozenset({"app"}),
    ),
}
"""`__init__` and `__main__` of a package stand on top of all its floors."""

PACKAGE_FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"posebus"}),
    frozenset({"ingest", "workers", "tracking"}),
    frozenset({"recordings"}),
    frozenset({"evidence", "wall"}),
    frozenset({"posebus_cli"}),
)
"""The same for whole packages: the three stages never import each other."""
