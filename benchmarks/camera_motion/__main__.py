"""`python -m benchmarks.camera_motion`."""

from benchmarks.camera_motion.command import main

if __name__ == "__main__":
    main()
