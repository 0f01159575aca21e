"""``python -m talking_avatar.cli``, where no script is installed."""

import sys

from talking_avatar.cli import main

sys.exit(main())
