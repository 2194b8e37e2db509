"""`python -m pilvi`."""

from pilvi.cli import main

if __name__ == "__main__":
    main()
