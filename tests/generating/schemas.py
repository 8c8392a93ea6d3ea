"""Schemas of the definitions: the real ones of KubeVirt, CDI and Multus if they are available, otherwise the project's own."""

from collections.abc import Mapping
from functools import cache

import jsonschema_rs

from tests.apiserver import crds
from tests.generating.words import Manifest


def faults(manifest: Manifest) -> list[str]:
    """What an API server would say against the object's shape; nothing for kinds without a definition."""
    schema = _schemas().get((manifest["apiVersion"], manifest["kind"]))
    return [] if schema is None else [error.message for error in schema.iter_errors(manifest)]


@cache
def _schemas() -> Mapping[tuple[str, str], jsonschema_rs.Validator]:
    schemas = {}
    for path in crds.real() or crds.OWN:
        crd = crds.load(path)
        for version in crd["spec"]["versions"]:
            key = (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
            schemas[key] = jsonschema_rs.validator_for(version["schema"]["openAPIV3Schema"])
    return schemas
