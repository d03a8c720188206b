"""`python -m benchmarks.economy`."""

from benchmarks.economy.command import main

if __name__ == "__main__":
    main()
