"""Positions in YAML and JSON documents: each path leads to the line and column where it is written."""

import pytest

from tests.yaml.reading import Steps, read_one
from webhook.yaml.document import Mark, read_documents

VM = """\
# A machine.
apiVersion: kubevirt.io/v1
kind: VirtualMachine
spec:
  template:
    spec:
      volumes:
        - name: os      # the root disk
          persistentVolumeClaim:
            claimName: os
        # and its configuration
        - name: ci
          cloudInitNoCloud:
            userData: |
              #cloud-config
              password: x

      networks: [{name: default, pod: {}}]
"""
SPEC = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ((), (2, 1), (18, 43)),
        (("kind",), (3, 1), (3, 21)),
        ((*SPEC, "volumes"), (7, 7), (16, 26)),
        ((*SPEC, "volumes", 0), (8, 11), (10, 26)),
        ((*SPEC, "volumes", 0, "name"), (8, 11), (8, 19)),
        ((*SPEC, "volumes", 1, "cloudInitNoCloud", "userData"), (14, 13), (16, 26)),
        ((*SPEC, "networks", 0, "pod"), (18, 34), (18, 41)),
        ((*SPEC, "networks", 0, "masquerade", "x"), (18, 18), (18, 42)),
        ((*SPEC, "volumes", 7, "name"), (7, 7), (16, 26)),
        ((*SPEC, "volumes", "0"), (7, 7), (16, 26)),
        (("kind", 0), (3, 1), (3, 21)),
    ],
)
def test_a_path_has_the_position_of_its_key(path: Steps, start: tuple[int, int], end: tuple[int, int]) -> None:
    """
    A path has the position of its key or list item. An absent path has the position of its nearest ancestor.
    """
    document = read_one(VM)

    assert document.mark(path) == Mark(*start)
    assert document.span(path) == (Mark(*start), Mark(*end))


def test_positions_count_from_the_start_of_the_file() -> None:
    """
    Earlier documents, a byte order mark, indentation, CRLF and line breaks of YAML alone do not change them.
    """
    text = '\ufeffa: "x\u2028y"\r\n---\r\n# c\r\n  ä: 1\r\n  b: {c: 2}\r\n---\nd:\r- e'

    documents = read_documents(text.encode(), "vm.yaml")

    assert [document.line for document in documents] == [1, 4, 7]
    assert documents[1].span(("b", "c")) == (Mark(5, 7), Mark(5, 11))
    assert documents[2].mark(("d", 0)) == Mark(8, 3)


def test_values_of_an_alias_or_merge_have_the_position_where_they_are_written() -> None:
    """
    The line to correct is that of the anchor.
    """
    document = read_one("a: &a\n  b: 1\n  c: 2\nd:\n  <<: [*a, {e: 3}]\n  c: 4\nf: *a\ny: 5\n")

    marks = [document.mark(path) for path in [("d", "b"), ("d", "e"), ("d", "c"), ("f",), ("f", "b"), ("true",)]]

    assert marks == [Mark(2, 3), Mark(5, 13), Mark(6, 3), Mark(7, 1), Mark(2, 3), Mark(8, 1)]
    assert document.span(("f",)) == (Mark(7, 1), Mark(7, 2))


def test_a_key_in_several_merged_mappings_has_the_position_of_the_value_that_counts() -> None:
    """
    In a list of mappings the first one counts, and a later merge overrides earlier members.
    """
    document = read_one("<<: [{a: 1}, {a: 2}]\nb: 3\n<<: {b: 4}")

    assert document.value == {"a": 1, "b": 4}
    assert (document.mark(("a",)), document.mark(("b",))) == (Mark(1, 7), Mark(3, 6))


def test_positions_in_json_compare_names_without_escapes() -> None:
    """
    Names are compared as JSON reads them. JSON that is not YAML has positions, too.
    """
    document = read_one('{\n\t"\\u0061b" : ["\\ud83d\\ude00", {"c"\n:1}],\n"d":2 }')

    assert document.span(("ab", 1, "c")) == (Mark(2, 32), Mark(3, 3))
    assert document.mark(("d",)) == Mark(4, 1)
