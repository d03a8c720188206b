"""`python -m benchmarks.scenes`."""

from benchmarks.scenes.scene import main

if __name__ == "__main__":
    main()
