"""`python -m benchmarks.broker`."""

import sys

from benchmarks.broker.command import main

if __name__ == "__main__":
    sys.exit(main())
