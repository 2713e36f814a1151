"""`python -m funkeras`: runs a script, or converts and inspects files."""

import sys

from funkeras.commands import main

if __name__ == "__main__":
    sys.exit(main())
