"""What a camera needs, decided from measurements: one pure policy per file, with time and detections as arguments."""
