"""Reads and writes YAML for rule pages and explanations. kubectl might read other values from the same text."""

import yaml

from webhook.objects.meta import Json


def load(text: str) -> Json:
    """Returns the value of one YAML document of this project."""
    value: Json = yaml.safe_load(text)
    return value


def dump(value: object) -> str:
    """Returns ``value`` as YAML in block style, with the order of keys and without anchors."""
    return str(yaml.dump(value, Dumper=_WithoutAliases, sort_keys=False, width=200))


class _WithoutAliases(yaml.SafeDumper):
    """Writes repeated values in full instead of as aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True
