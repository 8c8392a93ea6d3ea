"""Links, paths and examples that the rules about MigrationPolicies share. Not a rule."""

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import written
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.rule import Violation
from webhook.rules.settings._setting import at

BASE: FieldPath = ("spec",)
SOURCE = "pkg/virt-controller/watch/migration/migrationpolicy.go, v1.9.0 lines 44 to 126"
ADMITTER = "pkg/virt-api/webhooks/validating-webhook/admitters/migration-policy-admitter.go, v1.9.0"
SELECTED = "selectors: {virtualMachineInstanceSelector: {speed: fast}}"


def setting(name: str, value: Json, message: str) -> Violation:
    """A violation at a setting of the policy."""
    return at(BASE, name, value, message)


def well_typed_settings(facts: PolicyFacts) -> dict[str, Json]:
    """The policy's settings that have the correct type."""
    return written(dict(facts.settings))


def policy(settings: str) -> str:
    """An example: the spec of a MigrationPolicy for some VMIs, in YAML."""
    return f"{{{SELECTED}, {settings}}}"
