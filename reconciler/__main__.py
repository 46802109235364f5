"""``python -m reconciler`` does what ``pnr`` does."""

import sys

from reconciler.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
