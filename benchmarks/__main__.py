"""``./go bench [NAMES] [--quick]``; the same as ``python -m benchmarks``."""

import sys

from benchmarks.harness import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
