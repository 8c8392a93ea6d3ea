"""YAML for people to read, as rule pages and explanations show it. It is not exact: kubectl may read other values."""

import yaml

from webhook.objects.meta import Json


def load(text: str) -> Json:
    """The value of one YAML document of the project's own."""
    value: Json = yaml.safe_load(text)
    return value


def dump(value: object) -> str:
    """``value`` in block style, in its own order, without anchors."""
    return str(yaml.dump(value, Dumper=_WithoutAliases, sort_keys=False, width=200))


class _WithoutAliases(yaml.SafeDumper):
    """Writes each value in full, as people do."""

    def ignore_aliases(self, data: object) -> bool:
        return True
