"""`python -m posebus_cli` is `posebus`: how supervisors start their children, whatever is on the PATH."""

from posebus_cli import main

if __name__ == "__main__":
    main()
