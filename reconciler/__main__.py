"""``python -m reconciler`` does what ``pnr`` does."""

import sys

from reconciler.cli.main import program

if __name__ == "__main__":
    sys.exit(program())
