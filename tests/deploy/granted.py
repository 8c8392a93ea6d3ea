"""The rights that a rule grants, and those that a request needs, in one notation: `VERB GROUP/RESOURCE[/NAME]`."""

import itertools
from collections.abc import Iterator
from typing import Any

from tests.deploy.manifests import Manifest, of_kind


def rights_in(rule: dict[str, Any]) -> Iterator[str]:
    names = [f"/{name}" for name in rule.get("resourceNames", [])] or [""]
    for group, resource, verb, name in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"], names):
        yield f"{verb} {group}/{resource}{name}"


def rights_of(event: dict[str, Any]) -> Iterator[str]:
    """The rights that a request needs. An apply that creates an object is a patch and also needs the right to create."""
    about = event.get("objectRef")
    if about is None:
        yield f"{event['verb']} {event['requestURI']}"
        return
    by_name = event["user"]["username"].endswith("-rotator") or about["resource"] == "leases"
    right = f"{about.get('apiGroup', '')}/{about['resource']}" + (f"/{about['name']}" if by_name else "")
    yield f"{event['verb']} {right}"
    if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:
        yield f"create {right}"


def rights_of_account(objects: tuple[Manifest, ...], account: str) -> dict[str, set[str]]:
    """The rights of an account by namespace. The rights in all namespaces have the key ``''``."""
    granted: dict[str, set[str]] = {}
    for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        if account not in [subject["name"] for subject in binding["subjects"]]:
            continue
        space = binding["metadata"].get("namespace", "")
        (role,) = (
            role
            for role in of_kind(objects, binding["roleRef"]["kind"])
            if (role["metadata"]["name"], role["metadata"].get("namespace", "")) == (binding["roleRef"]["name"], space)
        )
        granted.setdefault(space, set()).update(right for rule in role["rules"] for right in rights_in(rule))
    return granted
