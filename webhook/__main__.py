"""``python -m webhook`` is ``migratable``."""

from webhook.surfaces.cli import main

main()
