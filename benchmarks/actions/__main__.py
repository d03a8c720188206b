"""`python -m benchmarks.actions`."""

from benchmarks.actions.command import main

main()
