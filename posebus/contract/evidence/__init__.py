"""References from events to their evidence, the snapshot of the frame: `posebus-evidence:CAMERA/EPOCH/SEQ`. Pure."""

from posebus.contract.evidence.dataref import FrameReference as FrameReference
from posebus.contract.evidence.dataref import dataref as dataref
from posebus.contract.evidence.dataref import frame_of_event_id as frame_of_event_id
from posebus.contract.evidence.dataref import read_dataref as read_dataref
