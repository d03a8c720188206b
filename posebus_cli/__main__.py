"""`python -m posebus_cli` is the command `posebus`, independent of what is on the PATH."""

from posebus_cli import main

if __name__ == "__main__":
    main()
