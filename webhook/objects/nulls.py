"""What Go makes of ``null`` where no API server looks: in the metadata of templates, of which schemas say nothing."""

from collections.abc import Callable, Mapping

import msgspec

from webhook.objects.meta import Json

_ON_THE_WAY = frozenset(("spec", "template", "virtualMachineTemplate", "dataVolumeTemplates"))
_LEVELS = 6
"""``spec.virtualMachineTemplate.spec.dataVolumeTemplates[0]`` is the longest way to metadata."""
TEXTS = frozenset(("labels", "annotations"))


def is_about_null(error: msgspec.ValidationError) -> bool:
    """Whether a value is refused for being ``null``."""
    return "got `null`" in str(error)


def without_nulls(value: Json) -> Json:
    """
    The same object with ``metadata``, its own and that of its templates, as Go reads it; ``value`` stays as it is.

    A field that is ``null`` is not there, and in labels and annotations it is empty text (``encoding/json``): that is what
    KubeVirt sees where ``app:`` stands in a template.
    """
    return with_metadata(value, as_go_reads)


def with_metadata(value: Json, change: Callable[[Json], Json], levels: int = _LEVELS) -> Json:
    """The same object with its own ``metadata`` and that of its templates changed; ``value`` stays as it is."""
    if isinstance(value, list):
        return [with_metadata(each, change, levels - 1) for each in value] if levels else value
    if not isinstance(value, Mapping):
        return value
    return {
        key: change(each)
        if key == "metadata"
        else with_metadata(each, change, levels - 1)
        if levels and key in _ON_THE_WAY
        else each
        for key, each in value.items()
    }


def as_go_reads(metadata: Json) -> Json:
    """Metadata without ``null``."""
    if not isinstance(metadata, Mapping):
        return metadata
    return {
        key: {name: "" if text is None else text for name, text in each.items()}
        if key in TEXTS and isinstance(each, Mapping)
        else [_present(one) for one in each]
        if isinstance(each, list)
        else each
        for key, each in metadata.items()
        if each is not None
    }


def _present(value: Json) -> Json:
    return {key: each for key, each in value.items() if each is not None} if isinstance(value, Mapping) else value
