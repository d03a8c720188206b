"""The commands for pictures and recordings: demo, image, run, snapshot, submit, jobs."""
