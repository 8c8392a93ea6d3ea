"""JSON Patches in the text of manifests: only the patched place changes (webhook.yaml.editor)."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from webhook.errors import BadInput
from webhook.objects.path import pointer
from webhook.yaml.document import read_documents
from webhook.yaml.editor import patch_text, patched

BLOCK = """\
# a file
kind: X   # the kind
spec:
  # about the list
  volumes:
  - name: a        # first
    # of a
    claim: {claimName: os, ro: true}   # flow
  - claim:
      claimName: two
    name: b
  # behind the list
  text: |
    kind: not me
    # no comment

  strategy: livemigrate # wrong case
...
"""


def edited(text: str, *operations: dict[str, Any], document: int = 0) -> str:
    return patch_text(text.encode(), "x.yaml", document, (), operations).decode()


@pytest.mark.parametrize(
    ("operation", "before", "after"),
    [
        ({"op": "replace", "path": "/spec/strategy", "value": "LiveMigrate"}, "livemigrate #", "LiveMigrate #"),
        ({"op": "replace", "path": "/spec/volumes/0/name", "value": "n"}, "name: a  ", 'name: "n"  '),
        ({"op": "replace", "path": "/spec/volumes/0/claim", "value": {}}, "{claimName: os, ro: true}", "{}"),
        ({"op": "replace", "path": "/spec/volumes/1/claim", "value": {}}, "claim:\n      claimName: two", "claim: {}"),
        ({"op": "remove", "path": "/spec/volumes/0/claim/ro"}, ", ro: true}", "}"),
        ({"op": "remove", "path": "/spec/volumes/0/claim/claimName"}, "{claimName: os, ro", "{ro"),
        ({"op": "remove", "path": "/spec/volumes/1"}, "  - claim:\n      claimName: two\n    name: b\n", ""),
        ({"op": "remove", "path": "/spec/volumes/1/claim"}, "claim:\n      claimName: two\n    name: b", "name: b"),
        ({"op": "remove", "path": "/spec/volumes/1/name"}, "    name: b\n", ""),
        ({"op": "remove", "path": "/spec/volumes/0/name"}, "name: a        # first\n    # of a", "# of a"),
        ({"op": "remove", "path": "/spec/strategy"}, "  strategy: livemigrate # wrong case\n", ""),
        ({"op": "remove", "path": "/kind"}, "kind: X   # the kind\n", ""),
        (
            {"op": "move", "from": "/spec/strategy", "path": "/spec/evictionStrategy"},
            "  strategy:",
            "  evictionStrategy:",
        ),
        ({"op": "move", "from": "/spec/volumes/0/claim/ro", "path": "/spec/volumes/0/claim/y"}, "ro:", '"y":'),
        (
            {"op": "add", "path": "/spec/volumes/0/claim/shared", "value": True},
            "ro: true}",
            "ro: true, shared: true}",
        ),
        ({"op": "add", "path": "/spec/new", "value": "x: y"}, "# wrong case\n", '# wrong case\n  new: "x: y"\n'),
        ({"op": "add", "path": "/spec/volumes/1/ro", "value": False}, "    name: b\n", "    name: b\n    ro: false\n"),
        (
            {"op": "add", "path": "/spec/volumes/1/claim/a", "value": {"b": [1, "c"]}},
            "two\n",
            "two\n      a: {b: [1, c]}\n",
        ),
    ],
)
def test_an_operation_changes_its_place_and_nothing_else(operation: dict[str, Any], before: str, after: str) -> None:
    """
    Only the named key, value or item changes, in the style around it. Comments, order, quotes and blank lines stay.
    """
    assert BLOCK.count(before) == 1

    assert edited(BLOCK, operation) == BLOCK.replace(before, after)


@pytest.mark.parametrize("style", ["|", "|-", ">", ">-", "|2-", "|+"])
@pytest.mark.parametrize(
    "after_text", ["", "  # its own line\n", "\n\n  # farther\n"], ids=["nothing", "comment", "gap"]
)
def test_a_block_scalar_is_replaced_up_to_its_last_line(style: str, after_text: str) -> None:
    """
    The block style stays. A comment after the block scalar stays on its line, and so does the next key.
    """
    before = f"spec:\n  strategy: {style}\n    livemigrate\n{after_text}  other: 1\n"

    after = edited(before, {"op": "replace", "path": "/spec/strategy", "value": "LiveMigrate"})

    stripped = f"{style.rstrip('+-')}-"  # the new value does not end with a line break
    assert after == f"spec:\n  strategy: {stripped}\n    LiveMigrate\n{after_text}  other: 1\n"


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ('"a"   # c', "B c", '"B c"   # c'),
        ("'a'", "it's", "'it''s'"),
        ('"a"', 'q"\\', '"q\\"\\\\"'),
        ("'a'", "x\ny", '"x\\ny"'),
        ('"false"', False, "false"),
        ("&x a", "B", "&x B"),
        ('&x !!str "a"', "B", '&x !!str "B"'),
        ("! 'a'", "B", "! 'B'"),
        ('&x !!str "false"', True, "&x true"),
        ("!!str &x 'false'", 3, "&x 3"),
        ("&x {a: b}", {}, "&x {}"),
        ("&x |- # c\n    a", "B", "&x |- # c\n    B"),
        (">2\n    a\n    b", "B", ">2-\n    B"),
        ("|\n\n    a", "B", "B"),
        ("|\n   a", "x\ny", '"x\\ny"'),
    ],
)
def test_quotes_anchors_tags_and_block_style_of_a_replaced_value_stay(before: str, value: Any, after: str) -> None:
    """
    A string keeps its style. A value of another type loses quotes and tag, and keeps its anchor.
    """
    text = "spec:\n  strategy: {}\n  other: 1\n"

    changed = edited(text.format(before), {"op": "replace", "path": "/spec/strategy", "value": value})

    assert changed == text.format(after)


def test_a_renamed_key_keeps_its_quotes() -> None:
    """
    Quotes around a key stay.
    """
    changed = edited("""{"a": 1, 'b': 2}\n---\n"k": 1\n""", {"op": "move", "from": "/k", "path": "/z"}, document=1)

    assert changed == """{"a": 1, 'b': 2}\n---\n"z": 1\n"""


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    """
    A file with CRLF and a byte order mark keeps both, also in new lines.
    """
    text = ("\ufeff" + BLOCK).replace("\n", "\r\n")

    added = patch_text(text.encode(), "x", 0, (), [{"op": "add", "path": "/spec/new", "value": 1}])
    removed = patch_text(text.encode(), "x", 0, (), [{"op": "remove", "path": "/spec/volumes/1"}])

    assert added.decode() == text.replace("# wrong case\r\n", "# wrong case\r\n  new: 1\r\n")
    assert removed.decode() == text.replace("  - claim:\r\n      claimName: two\r\n    name: b\r\n", "")


def test_other_documents_and_list_items_stay() -> None:
    """
    The document and the path in a List identify the object.
    """
    text = f"{BLOCK[:-4]}---\nkind: List\nitems:\n- kind: a\n- kind: b # here\n---\nkind: c\n"

    changed = patch_text(text.encode(), "x", 1, ("items", 1), [{"op": "replace", "path": "/kind", "value": "z"}])

    assert changed.decode() == text.replace("kind: b #", "kind: z #")


def test_json_stays_json() -> None:
    """
    In a JSON file, keys and values are written as JSON, in the layout of the file.
    """
    text = json.dumps({"kind": "X", "spec": {"a": "n", "b": [1, 2], "c": "off"}}, indent=2) + "\n"

    changed = edited(
        text,
        {"op": "replace", "path": "/spec/a", "value": "y"},
        {"op": "remove", "path": "/spec/b/0"},
        {"op": "add", "path": "/spec/d", "value": {"x": None}},
        {"op": "move", "from": "/spec/c", "path": "/spec/yes"},
    )

    assert json.loads(changed) == {"kind": "X", "spec": {"a": "y", "b": [2], "d": {"x": None}, "yes": "off"}}
    assert changed.startswith('{\n  "kind": "X",\n  "spec": {\n    "a": "y",\n')


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("a: &x {b: 1}\nc: *x\n", {"op": "replace", "path": "/a/b", "value": 2}),
        ("a: &x {b: 1}\nc: *x\n", {"op": "remove", "path": "/c/b"}),
        ("a:\n- - b\n  - c\n", {"op": "remove", "path": "/a/0/0"}),
        ("a:\n- b: 1\n", {"op": "replace", "path": "/a/0", "value": 1}),
        ("a: 1\n", {"op": "test", "path": "/a", "value": 2}),
        ("a: 1\n", {"op": "remove", "path": "/b"}),
        ("a: [1]\n", {"op": "remove", "path": "/a/1"}),
    ],
    ids=["anchor", "alias", "dash after a dash", "block", "other value", "no such key", "no such item"],
)
def test_a_patch_that_would_change_other_fields_is_an_error(text: str, operation: dict[str, Any]) -> None:
    """
    Nothing is written if the change would affect another field, or if the patch does not match the object.
    """
    with pytest.raises(BadInput) as raised:
        edited(text, operation)

    assert raised.value.remedy == "Make the change by hand."


def test_a_merged_value_is_overridden_beside_the_merge_key() -> None:
    """
    The mapping with the merge key gets the new value. The anchor stays.
    """
    changed = edited("a: &x {b: 1}\nc: {<<: *x, d: 1}\n", {"op": "replace", "path": "/c/b", "value": 2})

    assert changed == "a: &x {b: 1}\nc: {<<: *x, d: 1, b: 2}\n"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("c:\n  <<: *x  # all of it\n", "c:\n  <<: *x  # all of it\n  b: 2\n"),
        ("c:\n  d: 1\n  <<: *x", "c:\n  d: 1\n  <<: *x\n  b: 2"),
        ("c:\n  <<: [*x, *y]\n  d: {e: 1}\n", "c:\n  <<: [*x, *y]\n  b: 2\n  d: {e: 1}\n"),
    ],
    ids=["alone", "behind", "several"],
)
def test_a_value_that_overrides_a_merge_key_follows_it(text: str, changed: str) -> None:
    """
    In API servers (go-yaml), a merge key overrides the members before it.
    """
    anchors = "a: &x {b: 1}\ny: &y {}\n"

    assert edited(anchors + text, {"op": "replace", "path": "/c/b", "value": 2}) == anchors + changed


KEYS = st.sampled_from(["a", "name", "y", "no", "x-y", "kubevirt.io/z", "spec"])
VALUES = st.recursive(
    st.sampled_from(
        ["", "text", "n", "1e3", "two words", "a: b", "{x}", "# no", "multi\nline\n", 0, -1, 1.5, True, None]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=14,
)
OBJECTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
NEW = st.sampled_from(["LiveMigrate", "no", "a, b", 3, False, None, {}, [], {"k": ["v, w", {"n": "y"}]}])


def paths(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, child in children for path in [(*at, key), *paths(child, (*at, key))]]


def commented(text: str, draw: st.DrawFn) -> str:
    """Adds comments at the ends of lines and on lines of their own."""
    lines = []
    for at, line in enumerate(text.splitlines()):
        if re.match(r"\s*(- )*[\w./-]+:( |$)", line) and draw(st.integers(0, 3)) == 0:
            lines.append(" " * (len(line) - len(line.lstrip())) + f"# comment {at}")
        lines.append(line + (f"  # end {at}" if re.search(r": \w+$", line) and draw(st.booleans()) else ""))
    return "\n".join(lines) + "\n"


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, Any]:
    value = draw(OBJECTS)
    style = draw(st.sampled_from([False, None, True, "json"]))
    if style == "json":
        return json.dumps(value, indent=draw(st.sampled_from([None, 2]))), value
    text = yaml.safe_dump(value, default_flow_style=style, width=draw(st.sampled_from([20, 1000])), sort_keys=False)
    text = commented(text, draw) if style is False else text
    try:
        read = read_documents(text.encode(), "x")
    except BadInput:
        assume(False)
    return text, read[0].value


@given(manifests(), st.data())
@settings(deadline=None, max_examples=120)
def test_an_edit_gives_the_patched_value_or_an_error(manifest: tuple[str, Any], data: st.DataObject) -> None:
    """
    For any object and layout, the result reads as the patched object. A comment stays unless it is inside a removed value.
    """
    text, value = manifest
    path = data.draw(st.sampled_from(paths(value)))
    operation: dict[str, Any] = data.draw(
        st.sampled_from(
            [{"op": "remove", "path": pointer(path)}, {"op": "replace", "path": pointer(path), "value": data.draw(NEW)}]
        )
    )

    try:
        changed = edited(text, operation)
    except BadInput:
        return

    assert [document.value for document in read_documents(changed.encode(), "x")] == [patched(value, (), operation)]
    kept = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    removed = [line for line in kept if line not in changed.splitlines() and line.strip() not in changed]
    replaced: Any = value
    for step in path:
        replaced = replaced[step]
    assert not removed or operation["op"] == "remove" or isinstance(replaced, dict | list)


@given(manifests(), st.data())
@settings(deadline=None, max_examples=50)
def test_other_lines_keep_their_bytes(manifest: tuple[str, Any], data: st.DataObject) -> None:
    """
    The lines before and after the changed place stay the same, byte for byte.
    """
    text, value = manifest
    path = data.draw(st.sampled_from(paths(value)))
    if isinstance(path[-1], int):
        return

    try:
        changed = edited(text, {"op": "replace", "path": pointer(path), "value": "LiveMigrate"})
    except BadInput:
        return

    before, after = text.split("\n"), changed.split("\n")
    same = next((at for at, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), len(before))
    assert before[:same] == after[:same]
    rest = len(after) - same - 1
    assert before[len(before) - rest :] == after[len(after) - rest :]
