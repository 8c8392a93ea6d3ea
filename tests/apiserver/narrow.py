"""`migratable serve` that lets only eight reviews wait for live reads, so that a few clients are more than it takes."""

import webhook.surfaces.admission.door
from webhook.surfaces.cli import main

MOST = 8

if __name__ == "__main__":
    webhook.surfaces.admission.door.MAX_CONFIRMING = MOST
    main()
