"""Reports as JSON documents with ``apiVersion`` and ``kind``, and their JSON Schemas."""

from typing import Any, Final

import msgspec

API_VERSION: Final = "migratable/v1"


def render_document(report: msgspec.Struct) -> str:
    r"""
    Indented JSON with a final newline. The kind is the name of the class. Every key is present.

    Unprintable characters are ``\u`` escapes, so that names cannot change the state of a terminal. The values are unchanged.
    """
    document = {"apiVersion": API_VERSION, "kind": type(report).__name__, **msgspec.to_builtins(report)}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
    return text if text.replace("\n", "").isprintable() else "".join(map(_escape, text))


def schema_of(report: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of the document. Every key is required, because ``render_document`` omits none."""
    kind = report.__name__
    shape = msgspec.json.schema(report)
    shape["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for definition in shape["$defs"].values():
        if "properties" in definition:
            definition["required"] = list(definition["properties"])
    whole = shape["$defs"][kind]
    whole["properties"] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": kind}, **whole["properties"]}
    whole["required"] = list(whole["properties"])
    return shape


def _escape(char: str) -> str:
    if char.isprintable() or char == "\n":
        return char
    encoded = char.encode("utf-16-be")
    return "".join(f"\\u{encoded[at] << 8 | encoded[at + 1]:04x}" for at in range(0, len(encoded), 2))
