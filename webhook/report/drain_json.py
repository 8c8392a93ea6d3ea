"""The rehearsal of a drain as JSON (``migratable/v1``, kind ``DrainReport``), and its JSON Schema."""

from typing import Any, Final

import msgspec

from webhook.drain.plan import DrainReport

API_VERSION: Final = "migratable/v1"
KIND: Final = "DrainReport"


def render(report: DrainReport) -> str:
    r"""
    Indented JSON with a final newline. Every key is present.

    Unprintable characters are ``\u`` escapes, so that names cannot change the state of a terminal. The values are unchanged.
    """
    document = {"apiVersion": API_VERSION, "kind": KIND, **msgspec.to_builtins(report)}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
    return text if text.replace("\n", "").isprintable() else "".join(map(_escape, text))


def schema() -> dict[str, Any]:
    """The JSON Schema of the document. Every key is required, because ``render`` omits none."""
    shape = msgspec.json.schema(DrainReport)
    shape["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for definition in shape["$defs"].values():
        if "properties" in definition:
            definition["required"] = list(definition["properties"])
    report = shape["$defs"][KIND]
    report["properties"] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": KIND}, **report["properties"]}
    report["required"] = list(report["properties"])
    return shape


def _escape(char: str) -> str:
    if char.isprintable() or char == "\n":
        return char
    encoded = char.encode("utf-16-be")
    return "".join(f"\\u{encoded[at] << 8 | encoded[at + 1]:04x}" for at in range(0, len(encoded), 2))
