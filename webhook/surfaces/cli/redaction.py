"""Removes secret values from the error messages of other programs."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from webhook.errors import BadInput
from webhook.manifests.kustomizations import Kustomization
from webhook.report.frames import SECRET
from webhook.yaml.document import JsonValue, read_documents

HIDDEN = "***"
_MIN_SECRET, _MIN_VALUE = 3, 6
"""The minimum lengths of hidden values: for secret keys, and for other keys. Many words contain shorter values."""
_CONFIG = re.compile(r" with config: `.*`| from \[patch: .*\]", re.DOTALL)
"""The whole configuration of a transformer, which kustomize prints after an error."""
_PAIR = re.compile(rf"([\w.-]*(?:{SECRET})[\w.-]*[\"']?\s*[:=]\s+)\S.*", re.IGNORECASE)


class Redaction:
    """The secret values that a message can contain."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._values: set[str] = set()

    def add_kustomization(self, kustomization: Kustomization) -> None:
        """Adds the contents of generated Secrets and of patches, which can contain cloud-init data."""
        for text in kustomization.texts:
            self._secrets |= _long_lines(text, _MIN_VALUE)
        lines = list(kustomization.literals)
        for name in kustomization.secret_files:
            path = kustomization.located(name)
            with suppress(OSError, UnicodeDecodeError):
                if os.path.getsize(path) < 1 << 20:
                    with open(path, encoding="utf-8") as file:
                        lines += file.read().splitlines()
        self.add_settings(lines)

    def add_settings(self, settings: Iterable[str]) -> None:
        """Adds the values of ``KEY=VALUE``. A text without ``=`` can be a value."""
        for setting in settings:
            for text in (setting, *setting.split(",")):
                key, has_value, value = text.partition("=")
                self._add(value if has_value else key)

    def add_values(self, paths: Iterable[str]) -> None:
        """Adds the values in YAML files. Values of secret keys are hidden everywhere, other values only as whole words."""
        for path in paths:
            with suppress(OSError, BadInput), open(path, "rb") as file:
                for document in read_documents(file.read(), path):
                    for text, is_secret in _scalars(document.value, is_secret=False):
                        if is_secret:
                            self._add(text)
                        else:
                            self._values |= _long_lines(text, _MIN_VALUE)

    def _add(self, text: str) -> None:
        self._secrets |= _long_lines(text, _MIN_SECRET)

    def applied(self, message: str) -> str:
        """
        The message with ``***`` instead of secrets. Longer secrets are replaced first, because they can contain shorter
        secrets.
        """
        message = _CONFIG.sub("", message)
        for secret in sorted(self._secrets, key=len, reverse=True):
            message = message.replace(secret, HIDDEN)
        for value in sorted(self._values, key=len, reverse=True):
            if value in message:
                message = re.sub(rf"(?<![\w./-]){re.escape(value)}(?![\w/-])", HIDDEN, message)
        return _PAIR.sub(rf"\1{HIDDEN}", message)


def _long_lines(text: str, least: int) -> set[str]:
    """The lines with at least ``least`` characters."""
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= least}


def _scalars(value: JsonValue, *, is_secret: bool) -> Iterator[tuple[str, bool]]:
    """Each text and number, and whether a key above it is secret."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, is_secret=is_secret or bool(re.search(SECRET, key, re.IGNORECASE)))
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner, is_secret=is_secret)
    elif value is not None and not isinstance(value, bool):
        yield str(value), is_secret
