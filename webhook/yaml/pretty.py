"""YAML for rule pages and explanations. It is not exact: kubectl may read other values."""

import yaml

from webhook.objects.meta import Json


def load(text: str) -> Json:
    """The value of one YAML document of this project."""
    value: Json = yaml.safe_load(text)
    return value


def dump(value: object) -> str:
    """``value`` in block style, with its order, without anchors."""
    return str(yaml.dump(value, Dumper=_WithoutAliases, sort_keys=False, width=200))


class _WithoutAliases(yaml.SafeDumper):
    """Writes repeated values in full."""

    def ignore_aliases(self, data: object) -> bool:
        return True
