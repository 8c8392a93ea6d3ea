"""JSON as the Go programs of Kubernetes read it."""

import json
from typing import Any


def from_go_json(encoded: str | bytes) -> Any:
    """An integral number within 64 bits is an int, any other a float (apimachinery, util/json)."""
    return json.loads(encoded, parse_int=_whole, parse_float=_number)


def typed(value: object) -> str:
    """Tells 1 from True and from 1.0, which Python calls equal."""
    return json.dumps(value, sort_keys=True)


def _whole(digits: str) -> int | float:
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else float(digits)


def _number(digits: str) -> int | float:
    value = float(digits)
    whole = int(value) if value.is_integer() and abs(value) < 2**53 else None
    return value if whole is None else whole
