"""`python -m visner`: the command line."""

import sys

from visner.cli import main

sys.exit(main())
