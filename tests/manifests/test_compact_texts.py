"""Many texts in little memory."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import compact_texts
from webhook.manifests.compact_texts import CompactTexts

NOT_UTF_8 = st.integers(0x80, 0xFF).map(lambda byte: bytes([byte]).decode("utf-8", "surrogateescape"))
"""Bytes of file names, as Python returns them."""
TEXTS = st.text(st.characters(exclude_characters="\0") | NOT_UTF_8, max_size=5)


@given(st.lists(TEXTS), st.lists(st.integers(-40, 40)))
def test_compact_texts_are_the_same_as_in_a_list(texts: list[str], numbers: list[int]) -> None:
    """
    Also texts that are not UTF-8, and in any order of reading.
    """
    with patch.object(compact_texts, "_BLOCK", 3):
        compact = CompactTexts()
        compact.extend(texts)

        assert list(compact) == texts
        assert compact[1:] == texts[1:]
        assert [compact[each] for each in numbers if each in range(-len(texts), len(texts))] == [
            texts[each] for each in numbers if each in range(-len(texts), len(texts))
        ]


def test_paths_of_neighbours_take_a_tenth_of_their_characters() -> None:
    paths = [f"/repository/clusters/production/vm-{number:05}/templates/virtualmachine.yaml" for number in range(6_400)]
    compact = CompactTexts()
    compact.extend(paths)

    assert len(compact._compressed) < sum(map(len, paths)) / 10
