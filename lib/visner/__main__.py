"""`python -m visner`: the command line, as the rules call it."""

import sys

from visner.cli import main

sys.exit(main())
