"""Reads files below ``deploy/kustomize``, for components and charts that need a copy."""

from pathlib import Path
from typing import Final

import yaml

from deploy.commented_yaml import dumped

KUSTOMIZE: Final = Path(__file__).resolve().parent / "kustomize"


def text(path: str) -> str:
    """The text of a file."""
    return (KUSTOMIZE / path).read_text(encoding="utf-8")


def part(path: str, kind: str, name: str, key: str) -> str:
    """One key of an object in a file, as YAML."""
    documents = yaml.safe_load_all(text(path))
    (match,) = (document for document in documents if (document["kind"], document["metadata"]["name"]) == (kind, name))
    return dumped(match[key])
