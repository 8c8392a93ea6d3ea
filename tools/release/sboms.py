"""Software bills of materials (CycloneDX 1.6) from the locks in `requirements/`: packages, versions and hashes of wheels."""

import hashlib
import json
import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAMESPACE = uuid.UUID("6f0c8f0e-5d0f-4c53-9d57-3c9b2a7f6f11")


def wheels_in(folder: Path) -> dict[str, str]:
    """The names of the downloaded wheels by their SHA-256."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in folder.glob("*.whl")}


def sbom(
    lock: Path, version: str, epoch: int, wheels: Mapping[str, str], *, machine: str, python: tuple[int, int]
) -> str:
    """The SBOM of Migratable with the packages that a lock installs on Linux, each with the hash of its wheel."""
    fitting = {digest for digest, name in wheels.items() if name.endswith((f"{machine}.whl", "-any.whl"))}
    components = list(_components(lock.read_text(encoding="utf-8"), machine, python, fitting))
    root = _component("kubevirt-migratable", version)
    root |= {"type": "application", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    body = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat(),
            "component": root,
            "properties": [{"name": "platform", "value": f"linux/{machine}"}],
        },
        "components": components,
        "dependencies": [{"ref": root["bom-ref"], "dependsOn": [component["bom-ref"] for component in components]}],
    }
    content = json.dumps(body, indent=2, sort_keys=True)
    numbered = {**body, "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}"}
    return json.dumps(numbered, indent=2, sort_keys=True) + "\n"


def _components(lock: str, machine: str, python: tuple[int, int], wheels: Collection[str]) -> Iterator[dict[str, Any]]:
    from packaging.markers import Marker  # noqa: PLC0415 - of the development environment

    environment = {
        "python_version": "{}.{}".format(*python),
        "python_full_version": "{}.{}.0".format(*python),
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "os_name": "posix",
    }
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        head, *hashes = re.split(r" \\\n\s*", entry)
        name, _, rest = head.partition("==")
        version, _, marker = (part.strip() for part in rest.partition(";"))
        if not marker or Marker(marker).evaluate(environment):
            component = _component(name.partition("[")[0], version)
            known = {entry.strip().removeprefix("--hash=sha256:") for entry in hashes}
            yield component | {
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(known.intersection(wheels))]
            }


def _component(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
