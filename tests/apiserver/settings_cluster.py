"""A cluster for the rules about settings, and an example of each rule."""

import json
import re
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import Serving, kubectl_apply
from tests.wrapping import PREFIX, as_kubevirt, as_nad, as_policy, as_vm
from webhook.rules.register import RULES
from webhook.rules.rule import About, Example, Rule, Severity

Manifest = dict[str, Any]
Done = subprocess.CompletedProcess[str]
OPERATOR = "system:serviceaccount:kubevirt:kubevirt-operator"


WRAPS = {
    About.SETTINGS: as_kubevirt,
    About.MIGRATION_NETWORK: as_kubevirt,
    About.NETWORK: as_nad,
    About.POLICY: as_policy,
    About.BUDGET: as_vm,
    About.STORAGE: as_vm,
}


SETTABLE = {"KubeVirt", "NetworkAttachmentDefinition", "Node", "MigrationPolicy"}
"""Kinds of other objects that a test can put into the cluster as an example wants them."""


NETWORK = "/apis/k8s.cni.cncf.io/v1/namespaces/kubevirt/network-attachment-definitions"


CR = "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"


POLICIES = "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"


REFUSED_EARLIER = {
    "LM601": "spec.configuration.migrations.progressTimeout",
    "LM602": 'unknown field "spec.configuration.migrations.completionTimeoutPerGib"',
    "LM634": "spec.selectors: Required value",
}
"""Examples that the API server rejects by its schema, or kubectl by its strict reading, before a webhook is called."""


BY_TITLE = {
    "LM605": "negative",  # other texts do not match the pattern of the schema
    "LM610": "a negative count",
    "LM631": "a negative timeout",
}
"""The rejected example to take, where the first one does not come as far as us."""


ELSEWHERE = {
    "LM644": "what is stored goes through `kubectl get | migratable check`",
    "LM210": "is about the volumes of a VM",
    "LM211": "is about the volumes of a VM",
    "LM212": "is about the volumes of a VM",
    "LM213": "is about the volumes of a VM",
    "LM716": "needs a name that no network has",
    "LM718": "needs a network that is fit for everything but migrations",
    "LM721": "needs the addresses of this API server",
    "LM722": "needs the addresses of this API server",
}
"""Rules whose examples cannot be put into a cluster as they are; each has a test below."""


@dataclass(frozen=True)
class Case:
    """A rejected example of a rule and an accepted one, in the same world."""

    rule: Rule
    rejected: Example
    accepted: Example | None

    @property
    def world(self) -> str:
        """The objects that must be in the cluster, as a comparable text."""
        return json.dumps([self.rejected.release, list(self.rejected.world)], sort_keys=True)

    @property
    def path(self) -> str:
        return PREFIX[WRAPS[self.rule.about]] + self.rejected.violates[0]

    def manifest(self, example: Example) -> Manifest:
        made = WRAPS[self.rule.about](example)
        if made["kind"] == "KubeVirt":
            made["metadata"]["name"] = "another"  # the one that is stored is the world
        return made


def cases() -> list[Case]:
    """One case of each rule that has fitting examples, those of one world together."""
    chosen = []
    for rule in RULES:
        if rule.about in WRAPS and rule.id not in ELSEWHERE:
            wanted = BY_TITLE.get(rule.id)
            rejected = next(
                example
                for example in rule.examples
                if example.violates and fits(example) and wanted in (None, example.title) and example.release != "1.3"
            )
            same = [
                example
                for example in rule.examples
                if not example.violates
                and not example.undetermined
                and fits(example)
                and example.release == rejected.release
            ]
            same.sort(key=lambda example: example.world != rejected.world)
            chosen.append(Case(rule, rejected, same[0] if same and same[0].world == rejected.world else None))
    return sorted(chosen, key=lambda case: case.world)


def fits(example: Example) -> bool:
    return {manifest["kind"] for manifest in example.world} <= SETTABLE and not any(
        "spec" in node for node in nodes(example)
    )


def nodes(example: Example) -> list[Manifest]:
    return [manifest for manifest in example.world if manifest["kind"] == "Node"]


class Cluster:
    """A control plane behind the server, with a KubeVirt CR that changes as the cases want it."""

    def __init__(self, plane: ControlPlane, server: Serving) -> None:
        self.plane = plane
        self.client = plane.client
        self.server = server
        self.operator = plane.client.kubeconfig(OPERATOR, ("system:masters",))

    def apply(self, *documents: Manifest, flags: tuple[str, ...] = ("--dry-run=server",)) -> Done:
        return kubectl_apply(self.plane, *documents, flags=flags)

    def as_operator(self, *args: str, stdin: str | None = None) -> Done:
        return self.client.kubectl(*args, stdin=stdin, kubeconfig=self.operator)

    def store_kubevirt(self, spec: Manifest, release: str = "1.9") -> Done:
        """The one KubeVirt CR, written by virt-operator whatever it holds, as of a release."""
        body = {
            "apiVersion": "kubevirt.io/v1",
            "kind": "KubeVirt",
            "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
            "spec": spec,
        }
        text = json.dumps(body)
        written = self.as_operator("create", "-f", "-", stdin=text) if not self.stored() else self.replaced(body)
        status = json.dumps({"status": {"observedKubeVirtVersion": f"v{release}.0"}})
        self.as_operator(
            *("patch", "kubevirt", "kubevirt", "-n", "kubevirt", "--subresource=status", "--type=merge", "-p", status)
        )
        return written

    def stored(self) -> bool:
        return self.client.api("GET", f"{CR}/kubevirt").status == 200

    def replaced(self, body: Manifest) -> Done:
        return self.as_operator("replace", "-f", "-", stdin=json.dumps(body))

    def migrations(self) -> Manifest:
        migrations: Manifest = self.client.api("GET", f"{CR}/kubevirt").document["spec"]["configuration"]["migrations"]
        return migrations

    def enter(self, case: Case) -> None:
        """Puts the world of a case into the cluster."""
        world = case.rejected.world
        cr = next(
            (manifest["spec"] for manifest in world if manifest["kind"] == "KubeVirt"),
            {"configuration": {"migrations": {}}},
        )
        self.store_kubevirt({"configuration": {"migrations": {}}}, case.rejected.release)
        self.client.api("DELETE", NETWORK)
        self.client.api("DELETE", "/api/v1/nodes")
        self.client.api("DELETE", POLICIES)
        for manifest in world:
            if manifest["kind"] == "NetworkAttachmentDefinition":
                self.client.create(NETWORK, manifest)
            if manifest["kind"] == "MigrationPolicy":
                self.client.create(POLICIES, manifest)
            if manifest["kind"] == "Node":
                self.client.create("/api/v1/nodes", manifest)
        self.store_kubevirt(cr, case.rejected.release)


def denied(done: Done, rule: str, path: str) -> bool:
    """Whether the rule is among the causes, at its path: kubectl prints one behind the object's name, several as a list."""
    said = re.findall(r"^(?:\* |The .* is invalid: )(\S+): (.*)$", done.stderr, re.MULTILINE)
    return done.returncode == 1 and any(field == path and f"[{rule} " in text for field, text in said)


def warned(done: Done, rule: str, path: str) -> bool:
    """Whether the rule is among the warnings, which are printed whether or not another rule denies."""
    return (
        re.search(rf"^Warning: Migratable \[{rule}\]: .*\({re.escape(path)}\)$", done.stderr, re.MULTILINE) is not None
    )


def shown(case: Case, done: Done) -> bool:
    """Whether kubectl says what the page of the rule promises."""
    if case.rule.id in REFUSED_EARLIER:
        return done.returncode == 1 and REFUSED_EARLIER[case.rule.id] in done.stderr
    if case.rule.severity is Severity.ERROR:
        return denied(done, case.rule.id, case.path)
    return warned(done, case.rule.id, case.path)
