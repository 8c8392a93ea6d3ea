"""``python -m webhook.console FD``: the process that renders the pages for operators."""

import sys

from webhook.console.process import main

main(sys.argv[1:])
