"""Values of folders that depend on their parents."""

from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import inherited
from webhook.manifests.inherited import Inherited, parent_of

FOLDERS = st.lists(st.sampled_from("ab"), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(FOLDERS, max_size=30), st.integers(0, 5))
def test_a_value_is_derived_from_the_value_of_the_parent(folders: list[str], most: int) -> None:
    """
    Also for values that were dropped from memory, because only a few are kept.
    """
    usual, inherited.MOST_FOLDERS = inherited.MOST_FOLDERS, most
    try:
        values = Inherited("")
        found = [values.of(folder, lambda each, parent: f"{parent}{each[-1]}") for folder in folders]
    finally:
        inherited.MOST_FOLDERS = usual

    assert found == [folder.replace("/", "") for folder in folders]


def test_the_values_of_100_000_folders_are_not_kept() -> None:
    values = Inherited(0)

    for number in range(100_000):
        assert values.of(f"/a/{number}", lambda _, parent: parent + 1) == 2

    assert len(values._values) <= inherited.MOST_FOLDERS + 3


def test_a_folder_can_be_deeper_than_python_calls_nest() -> None:
    assert Inherited(0).of("/d" * 2_000, lambda _, parent: parent + 1) == 2_000


def test_the_root_is_its_own_parent() -> None:
    assert parent_of("/") == "/"
    assert parent_of("/a") == "/"
    assert parent_of("/a/b") == "/a"
