"""The rights that a rule grants, and those that a request needs, in one notation: `VERB GROUP/RESOURCE[/NAME]`."""

import itertools
from collections.abc import Iterator
from typing import Any


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
    by_name = event["user"]["username"].endswith("-rotator")
    right = f"{about.get('apiGroup', '')}/{about['resource']}" + (f"/{about['name']}" if by_name else "")
    yield f"{event['verb']} {right}"
    if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:
        yield f"create {right}"
