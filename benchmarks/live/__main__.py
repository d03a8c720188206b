"""`python -m benchmarks.live`."""

from benchmarks.live.command import main

if __name__ == "__main__":
    main()
