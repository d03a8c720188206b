"""Our tracker and others on the same detections."""
