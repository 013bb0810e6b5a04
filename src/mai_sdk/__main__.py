"""`python -m mai_sdk`: the same as `mai`."""

import sys

from mai_sdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
