"""Reading of the policy file is strict: each error names file, line and key (webhook.manifests.policy_file)."""

from pathlib import Path

import pytest

from webhook.errors import Misconfigured
from webhook.manifests.policy_file import parse_policy, read_policy
from webhook.policy.policy import Action, Policy, Profile

WHOLE = b"""\
profile: exact
unproven: deny
actions:
  LM101: warn
  claim-not-shared: "off"
namespaces:
- names: [lab]
  profile: strict
defaultEvictionStrategy: LiveMigrate
migrationSettings:
  parallelMigrationsPerCluster: 10
  maxDowntimeMs: 500
exemptions:
- rule: LM201
  namespace: tenant
  reason: moved next month
  owner: storage
  until: "2030-01-31"
"""
CLUSTER, NODE = "parallelMigrationsPerCluster", "parallelOutboundMigrationsPerNode"


def test_every_key_is_read() -> None:
    """
    Each key of the policy file has its value in the policy.
    """
    policy = parse_policy(WHOLE, "policy.yaml")

    assert (policy.profile, policy.unproven) == (Profile.EXACT, Action.DENY)
    assert policy.actions == {"LM101": Action.WARN, "claim-not-shared": Action.OFF}
    assert policy.namespaces[0].profile is Profile.STRICT
    assert policy.default_eviction_strategy == "LiveMigrate"
    assert policy.migration_settings == {"parallelMigrationsPerCluster": 10, "maxDowntimeMs": 500}
    assert policy.exemptions[0].owner == "storage"


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"{}", b"---\n", b"null\n"])
def test_an_empty_file_is_the_built_in_policy(content: bytes) -> None:
    """
    A key that is absent has its default.
    """
    assert parse_policy(content, "policy.yaml") == Policy()


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("profile: lenient", 1, "profile: invalid value 'lenient', expected strict or exact"),
        ("# first\nunproven: perhaps", 2, "unproven: invalid value 'perhaps', expected deny, warn, audit or off"),
        (
            "actions:\n  LM101: warn\n  LM102: maybe",
            3,
            "actions.LM102: invalid value 'maybe', expected deny, warn, audit or off",
        ),
        (
            "actions: {LM101: off}",
            1,
            "actions.LM101: expected a string, got a boolean; quote words that YAML reads as booleans, as in 'off'",
        ),
        ("actions:\n- LM101", 1, "actions: expected a mapping, got a list"),
        ("exemption: []", 1, "exemption: unknown key; did you mean exemptions?"),
        ("colour: red", 1, "colour: unknown key"),
        ("- profile", 1, "expected a mapping, got a list"),
        ("exemptions:\n- rule: LM101\n  reason: x\n  owner: web", 2, "exemptions[0]: missing key `until`"),
        (
            "namespaces:\n- names: [a]\n  labels:\n    team: web\n    tier: 1",
            5,
            "namespaces[0].labels.tier: expected a string, got an integer",
        ),
        (
            "exemptions:\n- rule: LM101\n  reason: x\n  owner: web\n  until: '2026-02-30'",
            5,
            "exemptions[0].until: '2026-02-30' is not a date in the form YYYY-MM-DD",
        ),
        (
            "exemptions:\n- {rule: LM101, reason: ' ', owner: web, until: '2026-02-28'}",
            2,
            "exemptions[0].reason: must not be empty",
        ),
        ("actions:\n  LM101: warn\n  LM999: warn", 3, "actions.LM999: unknown rule 'LM999'"),
        (
            "actions: {claim-not-share: warn}",
            1,
            "actions.claim-not-share: unknown rule 'claim-not-share'; did you mean claim-not-shared?",
        ),
        (
            "namespaces:\n- profile: exact",
            2,
            "namespaces[0]: missing names or labels: the entry selects no namespace",
        ),
        (
            "defaultEvictionStrategy: LiveMigrat",
            1,
            "defaultEvictionStrategy: unknown eviction strategy 'LiveMigrat'; did you mean LiveMigrate?",
        ),
        (
            "migrationSettings:\n  progressTimout: 1",
            2,
            "migrationSettings.progressTimout: unknown migration setting 'progressTimout'; did you mean progressTimeout?",
        ),
        (
            "migrationSettings:\n  parallelMigrationsPerCluster: -1",
            2,
            f"migrationSettings.{CLUSTER}: {CLUSTER} is -1, expected a whole number from 0 to 4294967295",
        ),
        (
            "migrationSettings: {bandwidthPerMigration: 64MiB}",
            1,
            "migrationSettings.bandwidthPerMigration: bandwidthPerMigration '64MiB' is not a Kubernetes quantity",
        ),
        (
            "migrationSettings:\n  parallelMigrationsPerCluster: 1\n  parallelOutboundMigrationsPerNode: 2",
            3,
            f"migrationSettings.{NODE}: {NODE} is 2, but {CLUSTER} is 1, so KubeVirt runs at most 1 at the same time",
        ),
    ],
)
def test_an_error_names_file_line_and_key(content: str, line: int, message: str) -> None:
    """
    The message also says which values are valid.
    """
    with pytest.raises(Misconfigured) as caught:
        parse_policy(content.encode(), "policy.yaml")

    assert caught.value.message == f"policy.yaml:{line}: {message}"
    assert caught.value.remedy


def test_an_error_counts_further_faults() -> None:
    """
    The error has the first fault and the number of further ones.
    """
    with pytest.raises(Misconfigured, match=r"LM998' \(and 1 more\)$"):
        parse_policy(b"actions: {LM998: warn, LM999: warn}", "policy.yaml")


@pytest.mark.parametrize(
    "content", [b"profile: strict\nprofile: exact\n", b"a: [", b"profile: \xff", b"profile: !!python/name:os"]
)
def test_invalid_yaml_is_an_error_with_its_line(content: bytes) -> None:
    """
    The rules for manifests apply: duplicate keys and unknown tags are errors, too.
    """
    with pytest.raises(Misconfigured, match=r"^policy\.yaml:\d+: "):
        parse_policy(content, "policy.yaml")


def test_another_encoding_is_an_error() -> None:
    """
    For UTF-16 the error has no line, but names the encoding.
    """
    with pytest.raises(Misconfigured, match=r"^policy\.yaml: the input is UTF-16"):
        parse_policy("profile: exact".encode("utf-16"), "policy.yaml")


def test_a_file_with_two_documents_is_an_error() -> None:
    """
    It is unclear which of them counts.
    """
    with pytest.raises(Misconfigured, match="has 2 documents"):
        parse_policy(b"profile: strict\n---\nprofile: exact\n", "policy.yaml")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """
    A missing file does not mean the built-in policy.
    """
    with pytest.raises(Misconfigured, match="No such file or directory"):
        read_policy(tmp_path / "gone.yaml")
