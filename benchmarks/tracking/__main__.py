"""`python -m benchmarks.tracking`."""

from benchmarks.tracking.command import main

if __name__ == "__main__":
    main()
