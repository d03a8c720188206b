"""Files of a run: tracks, summary, annotated video and pictures."""
