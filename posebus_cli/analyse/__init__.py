"""The commands for pictures and recordings: demo, image, run, submit, jobs."""
