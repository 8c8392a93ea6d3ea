"""
Finds mistakes in a kubeconfig before the Kubernetes client is imported.

The client raises the same error for a missing file, invalid YAML and an unknown context.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from webhook.errors import Misconfigured


class Target(msgspec.Struct, frozen=True):
    """The selected context, and the address of its API server."""

    context: str
    server: str

    def __str__(self) -> str:
        return f"API server {self.server} (context {self.context!r})"


def target(kubeconfig: Path, context: str | None = None) -> Target:
    """Returns the context and server that a kubeconfig selects. Raises Misconfigured for a mistake in the kubeconfig."""
    merged = _merged(kubeconfig)
    name = context or merged["current-context"]
    known = ", ".join(merged["contexts"]) or "none"
    if not name:
        raise Misconfigured(
            f"kubeconfig {kubeconfig} has no current-context. Its contexts: {known}",
            remedy="Name one with --context, or run `kubectl config use-context NAME`.",
        )
    if name not in merged["contexts"]:
        raise Misconfigured(
            f"kubeconfig {kubeconfig} has no context {name!r}. Its contexts: {known}", remedy="Name one with --context."
        )
    selected = merged["contexts"][name]
    for part in ("cluster", "user"):
        wanted = selected.get(part)
        if wanted and wanted not in merged[f"{part}s"]:
            raise Misconfigured(
                f"kubeconfig {kubeconfig}: context {name!r} names {part} {wanted!r}, which the file does not define",
                remedy=f"Correct the context, or add the {part}.",
            )
    server = merged["clusters"].get(selected.get("cluster"), {}).get("server")
    if not isinstance(server, str) or not server:
        raise Misconfigured(
            f"kubeconfig {kubeconfig}: the cluster of context {name!r} has no server",
            remedy="Set `server` to the URL of the API server.",
        )
    return Target(str(name), _without_credentials(server))


def _merged(kubeconfig: Path) -> dict[str, Any]:
    """
    Returns the entries of all files in a list of paths, by name. If several entries have the same name, the first entry is
    used, as in kubectl.
    """
    paths = [Path(part).expanduser() for part in str(kubeconfig).split(os.pathsep) if part]
    present = [path for path in paths if path.exists()]
    if not present:
        raise Misconfigured(
            f"no such file: kubeconfig {kubeconfig}",
            remedy="Name an existing file with --kubeconfig or $KUBECONFIG.",
        )
    merged: dict[str, Any] = {"clusters": {}, "contexts": {}, "users": {}, "current-context": ""}
    for path in present:
        content = _content(path)
        merged["current-context"] = merged["current-context"] or content.get("current-context")
        for plural in ("clusters", "contexts", "users"):
            for name, value in _entries(path, content, plural):
                merged[plural].setdefault(name, value)
    return merged


def _content(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except OSError as error:
        raise Misconfigured(
            f"kubeconfig {path} cannot be read: {error.strerror}", remedy="Name a readable file with --kubeconfig."
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise Misconfigured(
            f"kubeconfig {place} is not valid YAML: {getattr(error, 'problem', None) or type(error).__name__}",
            remedy="Correct the file, or name another with --kubeconfig.",
        ) from None
    if not isinstance(content, dict):
        raise _not_a_kubeconfig(path, "it is empty" if content is None else "it is not a mapping")
    return content


def _entries(path: Path, content: dict[str, Any], plural: str) -> list[tuple[str, dict[str, Any]]]:
    entries = content.get(plural) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and entry.get("name") for entry in entries):
        raise _not_a_kubeconfig(path, f"`{plural}` is not a list of entries with a name")
    singular = plural.removesuffix("s")
    return [(str(entry["name"]), entry[singular] if isinstance(entry.get(singular), dict) else {}) for entry in entries]


def _not_a_kubeconfig(path: Path, reason: str) -> Misconfigured:
    return Misconfigured(
        f"{path} is not a kubeconfig: {reason}", remedy="Name another file with --kubeconfig or $KUBECONFIG."
    )


def _without_credentials(server: str) -> str:
    """Returns the URL without a username and password."""
    try:
        place = urlsplit(server)
        return place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return "with an invalid URL"
