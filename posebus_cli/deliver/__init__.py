"""`posebus deliver`: sinks, and the events that they could not deliver."""
