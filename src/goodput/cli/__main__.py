"""``python -m goodput.cli``: the command without its script."""

import sys

from goodput.cli import main

sys.exit(main())
