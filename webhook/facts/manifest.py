"""Any object, by its names alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """``apiVersion`` and ``kind`` as written."""

    api_version: str
    kind: str
    releases: int
