"""What a camera needs, decided from measurements: pure, one policy a file, the time and what was seen as arguments."""
