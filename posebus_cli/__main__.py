"""`python -m posebus_cli` is the command `posebus`, without regard to the PATH."""

from posebus_cli import main

if __name__ == "__main__":
    main()
