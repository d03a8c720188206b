"""Cameras that come and go: poses that go past the workers, the events of a camera, and its end in the broker."""
