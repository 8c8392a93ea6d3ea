"""`migratable serve` that lets only eight reviews wait for live reads, so that a few clients exceed its capacity."""

import webhook.surfaces.admission.read_budget as limits
from webhook.__main__ import main

MOST = 8

if __name__ == "__main__":
    limits.MAX_WAITING = limits.MAX_WAITING_OF_ONE = MOST
    main()
