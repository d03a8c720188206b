"""Browsers as cameras: pictures or poses that a page sends become the frames or poses of a camera."""
