"""The JSON Schema of the policy file, in draft 7 for editors and Helm."""

from typing import Any, Final

import msgspec

from webhook.kubevirt.settings.settings import SETTINGS
from webhook.policy.policy import MAX_HELP, Action, Policy
from webhook.rules.eviction.unknown_eviction_strategy import STRATEGIES
from webhook.rules.register import RULES

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_RULE: Final = {"$ref": "#/definitions/Rule"}

Json = dict[str, Any]


def schema() -> Json:
    """
    The schema of `Policy`. The schema allows only known rules and settings, valid dates, and non-empty reasons and owners.
    """
    (reference,), definitions = msgspec.json.schema_components([Policy], ref_template="#/definitions/{name}")
    names = [name for rule in RULES for name in (rule.id, rule.name)]
    definitions["Rule"] = {"title": "Rule", "description": "A rule by its id or its name.", "enum": sorted(names)}
    for holder in ("Policy", "NamespacePolicy"):
        definitions[holder]["properties"]["actions"]["propertyNames"] = _RULE
    policy = definitions["Policy"]["properties"]
    policy["defaultEvictionStrategy"] = {"enum": [*STRATEGIES, None], "default": None}
    policy["migrationSettings"]["propertyNames"] = {"enum": sorted(SETTINGS)}
    policy["help"] |= {"maxLength": MAX_HELP, "pattern": r"^[^\n\r]*$"}
    exemption = definitions["Exemption"]["properties"]
    exemption["rule"] = _RULE
    account = definitions["Account"]["properties"]
    account["account"]["pattern"] = r"^[^*?\s]+$"
    account["atMost"] = {"enum": [Action.WARN.value, Action.AUDIT.value], "default": Action.WARN.value}
    for entry in (exemption, account):
        entry["until"] |= {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
        for key in ("reason", "owner"):
            entry[key]["pattern"] = r"\S"
    return {"$schema": DIALECT, **reference, "definitions": dict(sorted(definitions.items()))}


def as_json() -> str:
    """The published text of the schema."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"
