"""The objects of the backstop, for kustomize and for the chart."""

import json
import textwrap
from typing import Final

from deploy import kustomize_files
from deploy.commented_yaml import dumped, folded, heading
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Action, Policy, Profile
from webhook.rules.register import RULES
from webhook.surfaces.admission.configurations import Installation
from webhook.surfaces.backstop.objects import LABELS, objects
from webhook.surfaces.backstop.parameters import IN_CEL, Parameters, parameters
from webhook.surfaces.backstop.policies import hooks_with_policy, name_of, policies

POLICIES_NOTE: Final = (
    "The rules that need only the object. API servers evaluate these rules, even while no replica responds. The parameters"
    " are ConfigMaps with the label `migratable-backstop`."
)
BINDINGS_NOTE: Final = (
    "Without ConfigMaps, nothing is denied. To switch the backstop off: `kubectl delete validatingadmissionpolicybinding -l"
    " app.kubernetes.io/component=backstop`."
)
PARAMETERS_NOTE: Final = (
    "The rules that the base's policy file denies. For another file: `migratable policies --policy FILE`."
)


def files() -> dict[str, str]:
    """The text of each file, by its path below ``deploy/kustomize``."""
    return {
        "components/backstop/policies.yaml": _policies(),
        "components/backstop/bindings.yaml": _objects("ValidatingAdmissionPolicyBinding", BINDINGS_NOTE),
        "components/backstop/parameters.yaml": _objects("ConfigMap", PARAMETERS_NOTE),
    }


def _policies() -> str:
    """The policies. Long expressions are folded before operators."""
    texts = []
    for policy in policies():
        spec = policy["spec"]
        head = {key: policy[key] for key in ("apiVersion", "kind", "metadata")}
        head["metadata"] = head["metadata"] | {"labels": LABELS}
        text = dumped(head) + "spec:\n"
        for key in ("failurePolicy", "paramKind", "matchConstraints"):
            text += textwrap.indent(dumped({key: spec[key]}), "  ")
        for key in ("matchConditions", "variables"):
            text += f"  {key}:\n" + "".join(
                f"  - name: {item['name']}\n    expression: {folded(item['expression'], ' ' * 6)}" for item in spec[key]
            )
        (validation,) = spec["validations"]
        text += f"  validations:\n  - expression: {validation['expression']}\n    message: {validation['message']}\n"
        text += f"    messageExpression: {folded(validation['messageExpression'], ' ' * 6)}"
        texts.append(text + f"    reason: {validation['reason']}\n")
    return heading(POLICIES_NOTE) + "---\n".join(texts)


def _objects(kind: str, note: str) -> str:
    """The backstop's objects of one kind, one document each."""
    documents = [document for document in objects(_enforced(), Installation()) if document["kind"] == kind]
    return heading(note) + "---\n".join(map(dumped, documents))


def _enforced() -> list[Parameters]:
    """The parameters for the violations that the base's policy file denies. The webhook sends the warnings."""
    policy = parse_policy(kustomize_files.text("base/policy.yaml").encode(), "policy.yaml")
    return [rules for rules in parameters(policy, SUPPORTED, "") if rules.action is Action.DENY]


def for_helm() -> str:
    """The policies, the bindings, and the rules that each profile denies (``certain``: only where no other object matters)."""
    denied = {}
    for profile in Profile:
        in_profile = parameters(Policy(profile=profile), SUPPORTED, "")
        denials = next(rules for rules in in_profile if rules.action is Action.DENY)
        denied[profile] = dict.fromkeys(denials.rules, "deny") | dict.fromkeys(denials.where_certain, "certain")
    bindings = [{"policyName": name_of(hook), "inPlatform": hook.in_platform} for hook, _ in hooks_with_policy()]
    rules = [{"id": rule.id, "name": rule.name} for rule in RULES]
    data = {
        "policies": policies(),
        "bindings": bindings,
        "inCel": [rule.id for rule in IN_CEL],
        "denied": denied,
        "rules": rules,
    }
    return json.dumps(data, indent=1) + "\n"
