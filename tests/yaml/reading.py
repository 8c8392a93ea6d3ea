"""Reading manifests in tests."""

from typing import TypeAlias

import pytest

from webhook.errors import BadInput
from webhook.yaml.document import Document, JsonValue, read_documents

Steps: TypeAlias = tuple[str | int, ...]


def read(text: str) -> list[JsonValue]:
    """The values of all documents."""
    return [document.value for document in read_documents(text.encode(), "vm.yaml")]


def read_one(text: str) -> Document:
    """The only document."""
    (document,) = read_documents(text.encode(), "vm.yaml")
    return document


def read_error(content: str | bytes) -> BadInput:
    """The error that reading raises."""
    with pytest.raises(BadInput) as raised:
        read_documents(content.encode() if isinstance(content, str) else content, "vm.yaml")
    return raised.value
