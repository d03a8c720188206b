"""Changing the configuration from the wall: rules and ground points of a camera, and cameras themselves."""
