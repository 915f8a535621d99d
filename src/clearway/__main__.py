"""``python -m clearway`` is the same as ``clearway``."""

from clearway.cli import main

if __name__ == "__main__":
    main()
