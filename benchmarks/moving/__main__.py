"""`python -m benchmarks.moving`."""

from benchmarks.moving.command import main

if __name__ == "__main__":
    main()
