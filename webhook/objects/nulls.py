"""What Go makes of ``null`` where no API server looks: in the metadata of templates, of which schemas say nothing."""

from collections.abc import Mapping

import msgspec

from webhook.objects.meta import Json

_ON_THE_WAY = frozenset(("spec", "template", "virtualMachineTemplate", "dataVolumeTemplates"))
_LEVELS = 6
"""``spec.virtualMachineTemplate.spec.dataVolumeTemplates[0]`` is the longest way to metadata."""
_TEXTS = frozenset(("labels", "annotations"))


def is_about_null(error: msgspec.ValidationError) -> bool:
    """Whether a value is refused for being ``null``."""
    return "got `null`" in str(error)


def without_nulls(value: Json, levels: int = _LEVELS) -> Json:
    """
    The same object with ``metadata``, its own and that of its templates, as Go reads it; ``value`` stays as it is.

    A field that is ``null`` is not there, and in labels and annotations it is empty text (``encoding/json``): that is what
    KubeVirt sees where ``app:`` stands in a template.
    """
    if isinstance(value, list):
        return [without_nulls(each, levels - 1) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _read_by_go(each)
        if key == "metadata"
        else without_nulls(each, levels - 1)
        if levels and key in _ON_THE_WAY
        else each
        for key, each in value.items()
    }


def _read_by_go(metadata: Json) -> Json:
    if not isinstance(metadata, Mapping):
        return metadata
    return {
        key: {name: "" if text is None else text for name, text in each.items()}
        if key in _TEXTS and isinstance(each, Mapping)
        else [_present(one) for one in each]
        if isinstance(each, list)
        else each
        for key, each in metadata.items()
        if each is not None
    }


def _present(value: Json) -> Json:
    return {key: each for key, each in value.items() if each is not None} if isinstance(value, Mapping) else value
