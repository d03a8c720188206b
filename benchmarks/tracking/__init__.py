"""Our tracker and others on the same detections, compared by accuracy, time and smoothness."""
