"""Field paths in messages (webhook.objects.path)."""

import pytest

from webhook.errors import BadInput
from webhook.objects.path import FieldPath, dotted, pointer
from webhook.yaml.document import read_documents


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec", "volumes", 0), "spec.volumes[0]"),
        ((0, "name"), "[0].name"),
        (("metadata", "labels", "my-label"), "metadata.labels.my-label"),
        (("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
        (("metadata", "labels", "a b"), "metadata.labels[a b]"),
        (("metadata", "labels", ""), "metadata.labels[]"),
    ],
)
def test_a_path_has_one_spelling(path: FieldPath, text: str) -> None:
    """
    Keys with dots, slashes, brackets or spaces are in brackets. Other keys follow a dot.
    """
    assert dotted(path) == text


@pytest.mark.parametrize(
    "text", ["metadata: {labels: {my-label: 1, my-label: 2}}", '{"metadata": {"labels": {"my-label": NaN}}}']
)
def test_errors_of_the_readers_have_the_same_spelling(text: str) -> None:
    """
    The path of a YAML or JSON error is spelled as that of a finding.
    """
    with pytest.raises(BadInput) as raised:
        read_documents(text.encode(), "vm.yaml")

    assert raised.value.path == "metadata.labels.my-label"


def test_a_pointer_escapes_slashes_and_tildes() -> None:
    """
    This is the form of RFC 6901.
    """
    assert pointer(("metadata", "labels", "a/b~c", 0)) == "/metadata/labels/a~1b~0c/0"
