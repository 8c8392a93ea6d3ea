"""
Archives whose bytes depend only on their content: sorted names, one time, no owner.

`python -m tools.release.archives FOLDER FILE EPOCH` packs a folder as a tar.gz file. This module needs no package.
"""

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def files_below(folder: Path, prefix: str) -> dict[str, Path]:
    """The files below a folder by their name in an archive."""
    found = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return {f"{prefix}/{path.relative_to(folder).as_posix()}": path for path in found}


def tar(files: Mapping[str, bytes | Path], epoch: int) -> bytes:
    """A tar archive. A file that its owner may execute stays executable, and no other mode is kept."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, source in sorted(files.items()):
            content = source if isinstance(source, bytes) else source.read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), epoch
            executable = isinstance(source, Path) and source.stat().st_mode & 0o100
            member.mode = 0o755 if executable else 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def compressed(content: bytes) -> bytes:
    """gzip without a name and a time. Not `gzip.compress`, whose header has another byte from one Python to the next."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def chart_layout(metadata: Mapping[str, Any], chart: bytes, epoch: int) -> bytes:
    """A chart as an OCI archive, as `helm push` stores it in a registry."""
    blobs: dict[str, bytes] = {}

    def add(content: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    config = add(_json(dict(metadata)), CHART_CONFIG)
    layer = add(chart, CHART_LAYER)
    annotations = {
        "org.opencontainers.image.title": metadata["name"],
        "org.opencontainers.image.version": metadata["version"],
        "org.opencontainers.image.description": metadata["description"],
    }
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer], "annotations": annotations}
    manifest = add(_json(body), MANIFEST)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": metadata["version"]}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]}
    return tar({**blobs, "oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}, epoch)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def main(folder: str, file: str, epoch: str) -> None:
    """Packs a folder under its own name."""
    files = files_below(Path(folder), Path(folder).name)
    Path(file).write_bytes(compressed(tar(files, int(epoch))))


if __name__ == "__main__":
    main(*sys.argv[1:])
