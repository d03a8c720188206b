"""The events of the contract: the table of their types with what each means, and their construction."""

from posebus.contract.events.making import EVENT_BYTES as EVENT_BYTES
from posebus.contract.events.making import Position as Position
from posebus.contract.events.making import before_frame as before_frame
from posebus.contract.events.making import camera_event as camera_event
from posebus.contract.events.making import published as published
from posebus.contract.events.making import track_event as track_event
from posebus.contract.events.spec import EventSpec as EventSpec
from posebus.contract.events.table import TABLE as TABLE
