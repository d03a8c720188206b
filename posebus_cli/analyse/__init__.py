"""The commands for pictures and recordings: demo, image, run, draw, snapshot, submit, jobs."""
