"""Recordings as jobs: what a job may run, and the queue of jobs with the process that works on them."""
