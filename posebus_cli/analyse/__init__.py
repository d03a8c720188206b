"""The commands for pictures and recordings: demo, image, run, draw, submit, jobs."""
