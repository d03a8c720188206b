"""The files of a run: tracks, summary, annotated videos and pictures."""
