"""
The CPU time of reading manifests, in one process, with the Python of any checkout: `python -P reading.py FOLDER ROUNDS`.

FOLDER has a folder for each kind of manifests. Prints a JSON object with the microseconds for each file, the best of the rounds.
"""

import gc
import json
import sys
import time
from pathlib import Path

from webhook.manifests.objects import read_manifests


def main(folder: str, rounds: str) -> None:
    kinds = sorted(Path(folder).iterdir())
    contents = {kind.name: [path.read_bytes() for path in sorted(kind.rglob("*.yaml"))] for kind in kinds}
    gc.freeze()
    best = dict.fromkeys(contents, float("inf"))
    for _ in range(int(rounds)):
        for name, files in contents.items():
            began = time.process_time()
            for content in files:
                if read_manifests(content, "vm.yaml").problems:
                    raise SystemExit(f"a manifest in {name} has a problem")
            best[name] = min(best[name], (time.process_time() - began) / len(files) * 1e6)
    print(json.dumps({f"reading: {name}": micros for name, micros in best.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
