"""`posebus explain`: why a camera's frames are inferred as they are, and what became of an event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.settings import Settings

_SubjectArgument = Annotated[
    str, typer.Argument(metavar="CAMERA|EVENT", help="Name of a camera, as in 'posebus top', or the id of an event.")
]
_MinutesOption = Annotated[
    float, typer.Option("--minutes", metavar="M", min=0.0, help="Show the decisions of the last M minutes.")
]


@grouped
def explain(
    subject: _SubjectArgument,
    deployment: DeploymentOptions,
    minutes: _MinutesOption = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Explain how a camera's frames are inferred now, or what became of an event at each sink.

    For an event: whether each sink has delivered it, when and after how many attempts, or why not.

    Policies choose the size of the network's input (imgsz: auto), how many frames per second are inferred (infer_fps)
    and which frames are skipped because nothing moves (motion_gate). For a recording, --minutes counts in its own time.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.explaining.lines import lines
    from posebus.explaining.reading import read_inputs
    from posebus.runtime.failures import complain
    from posebus.telemetry.explanation import explanation

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    if "/" in subject:
        _explain_event(broker, settings, subject, as_json=as_json)
        return
    read = read_inputs(broker, subject)
    if read.problem is not None:
        complain(f"{read.problem}; the rest is shown without them")
    found = explanation(read.inputs)
    if as_json:
        print(json.dumps(found.as_dict(60.0 * minutes), indent=2))
        return
    for line in lines(found, 60.0 * minutes):
        print(line)


def _explain_event(broker: Broker, settings: Settings, event_id: str, *, as_json: bool) -> None:
    from posebus.sinks.delivering.explaining import event_fate
    from posebus_cli.observe.event_lines import event_as_dict, event_lines

    fate = event_fate(broker, event_id, settings.sinks)
    if as_json:
        print(json.dumps(event_as_dict(fate), indent=2))
        return
    for line in event_lines(fate, broker.now_ns()):
        print(line)
