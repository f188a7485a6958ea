"""The command as a module: ``python -m eventsourcing_cli``."""

import sys

from eventsourcing_cli import main

if __name__ == "__main__":
    sys.exit(main())
