"""From first detection to the end of a track: births, states, the report of a frame."""
