"""docs/policy.md has every key of the policy file with its default."""

import json
import re
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml

from tests.deploy.manifests import KUSTOMIZE
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile

PAGE = (KUSTOMIZE.parents[1] / "docs" / "policy.md").read_text()
SCHEMA = json.loads((KUSTOMIZE / "base" / "policy.schema.json").read_text())
TABLES = [
    ("## Keys", Policy),
    ("### namespaces", NamespacePolicy),
    ("### exemptions", Exemption),
    ("### accounts", Account),
]


def rows(heading: str) -> list[tuple[str, str, str]]:
    """The first table below a heading: key, values, default."""
    below = PAGE.partition(f"\n{heading}\n")[2]
    listed = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", re.split(r"\n#", below)[0], re.MULTILINE)
    return [(key, values, default) for key, values, default in listed]


def written(default: Any) -> str:
    """A default as the page writes it."""
    return f"`{default.value if isinstance(default, Action | Profile) else json.dumps(default)}`"


@pytest.mark.parametrize(("heading", "struct"), TABLES, ids=[struct.__name__ for _, struct in TABLES])
def test_the_page_has_every_key_with_its_default(heading: str, struct: type[msgspec.Struct]) -> None:
    """
    In the order of the code, and no key that there is not.
    """
    expected = []
    for field in msgspec.structs.fields(struct):
        default = field.default if field.default is not msgspec.NODEFAULT else None
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        expected.append((field.encode_name, "must be given" if field.required else written(default)))

    assert [(key, default) for key, _, default in rows(heading)] == expected


@pytest.mark.parametrize(("heading", "struct"), TABLES, ids=[struct.__name__ for _, struct in TABLES])
def test_the_values_are_those_of_the_schema(heading: str, struct: type[msgspec.Struct]) -> None:
    """
    Where a key has a few values, each is named.
    """
    for key, values, _ in rows(heading):
        schema = SCHEMA["definitions"][struct.__name__]["properties"][key]
        schemas = [schema, *schema.get("anyOf", ())]
        named = [entry["$ref"] for entry in schemas if "$ref" in entry]
        enums = [entry["enum"] for entry in schemas if "enum" in entry]
        enums += [
            SCHEMA["definitions"][reference.rpartition("/")[2]]["enum"]
            for reference in named
            if reference.endswith("/Profile")
        ]
        for enum in enums:
            assert set(re.findall(r"`(\w+)`", values)) == {word for word in enum if word is not None}
        if any(reference.endswith("/Action") for reference in named):
            assert values == "action"


def test_every_example_is_a_policy() -> None:
    """
    Examples can be copied.
    """
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert examples
    for example in examples:
        parse_policy(example.encode(), "docs/policy.md")
        jsonschema_rs.Draft7Validator(SCHEMA).validate(yaml.safe_load(example))


def test_every_action_is_explained() -> None:
    """
    Those there are, and in which order things are decided.
    """
    said = PAGE.partition("An action is ")[2].partition(".")[0]

    assert {*re.findall(r"`(\w+)`", said)} == {action.value for action in Action}
