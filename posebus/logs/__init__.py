"""Logs: records as lines of text or JSON, in UTC, with the camera and the frame they are about, without credentials."""
