"""Commands for pictures and recordings: demo, image, run, submit, jobs."""
