"""The settings of the live wall: where it is served, who may open it, and whether that is safe. Pure."""
