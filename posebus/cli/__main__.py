"""`python -m posebus.cli` is `posebus`: how supervisors start their children, whatever is on the PATH."""

from posebus.cli import main

if __name__ == "__main__":
    main()
