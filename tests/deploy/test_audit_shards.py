"""The audit of a large fleet: an Indexed Job, and a CronJob that merges its files. test_parity compares it with kustomize."""

from typing import Any

import pytest

from tests.deploy.charts import refusal, template
from tests.deploy.manifests import Manifest, find, of_kind
from webhook.surfaces.cli.shards import shard_from

pytestmark = pytest.mark.helm

VOLUME = {"persistentVolumeClaim": {"claimName": "reports"}}


def installed(**values: Any) -> tuple[Manifest, ...]:
    """The objects of the chart with the audit enabled."""
    return template({"audit": {"enabled": True, **values}})


def job_of(objects: tuple[Manifest, ...], name: str = "migratable-audit") -> Manifest:
    job: Manifest = find(objects, "CronJob", name)["spec"]["jobTemplate"]["spec"]
    return job


def args_of(job: Manifest) -> list[str]:
    args: list[str] = job["template"]["spec"]["containers"][0]["args"]
    return args


def flags(args: list[str], name: str) -> list[str]:
    return [arg.removeprefix(f"--{name}=") for arg in args if arg.startswith(f"--{name}=")]


def test_each_index_of_the_job_audits_one_shard() -> None:
    """
    The pods of all indexes cover all shards.
    """
    job = job_of(installed(shards=5))

    (shard,) = flags(args_of(job), "shard")
    numbers = [shard_from(shard, {"JOB_COMPLETION_INDEX": str(index)}).number for index in range(job["completions"])]
    assert numbers == [1, 2, 3, 4, 5]
    assert (job["completionMode"], job["backoffLimitPerIndex"]) == ("Indexed", 2)


@pytest.mark.parametrize(
    ("values", "parallelism", "seconds"),
    [
        ({"shards": 5}, 2, 3 * 300),
        ({"shards": 4, "parallelism": 4}, 4, 300),
        ({"shards": 2, "parallelism": 8}, 2, 300),
    ],
)
def test_all_rounds_of_shards_have_time_to_end(values: dict[str, Any], parallelism: int, seconds: int) -> None:
    """
    With fewer pods at a time than shards, the Job may run for longer.
    """
    job = job_of(installed(timeoutSeconds=100, **values))

    assert (job["parallelism"], job["activeDeadlineSeconds"]) == (parallelism, seconds)


def test_one_shard_is_an_ordinary_job() -> None:
    """
    Without an index.
    """
    job = job_of(installed())

    assert job.keys() & {"completionMode", "completions", "parallelism"} == set()
    assert flags(args_of(job), "shard") == []


@pytest.mark.parametrize(("shards", "file"), [(1, "report"), (3, "shard-$(JOB_COMPLETION_INDEX)")])
def test_reports_are_written_to_the_volume(shards: int, file: str) -> None:
    """
    The root file system is read-only, so the volume is the only place for files.
    """
    job = job_of(installed(shards=shards, reportVolume=VOLUME))

    pod = job["template"]["spec"]
    assert flags(args_of(job), "output") == ["prometheus", f"json=/reports/{file}.json"]
    assert {"name": "reports", "mountPath": "/reports"} in pod["containers"][0]["volumeMounts"]
    assert {"name": "reports"} | VOLUME in pod["volumes"]


def test_a_second_job_merges_the_files_of_all_shards() -> None:
    """
    Its pod has no token, because it reads only files. It has the policy, for notes about exemptions.
    """
    objects = installed(shards=3, reportVolume=VOLUME, mergeSchedule="47 * * * *")

    merge = job_of(objects, "migratable-audit-merge")
    pod = merge["template"]["spec"]
    assert flags(args_of(merge), "merge") == [f"/reports/shard-{index}.json" for index in range(3)]
    assert flags(args_of(merge), "policy") == flags(args_of(job_of(objects)), "policy")
    assert flags(args_of(merge), "output") == ["json=/reports/report.json"]
    assert [volume["name"] for volume in pod["volumes"]] == ["reports", "policy", "tmp"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_merge_makes_no_metrics() -> None:
    """
    They need the objects of a cluster, and the command refuses them.
    """
    objects = installed(shards=3, reportVolume=VOLUME, mergeSchedule="@hourly", format="prometheus")

    merge = job_of(objects, "migratable-audit-merge")
    assert flags(args_of(merge), "output") == ["json=/reports/report.json"]
    assert "prometheus" in flags(args_of(job_of(objects)), "output")


def test_files_are_merged_only_on_a_schedule() -> None:
    """
    Without a schedule, `migratable audit --merge` can merge them elsewhere.
    """
    jobs = of_kind(installed(shards=3, reportVolume=VOLUME), "CronJob")

    assert [job["metadata"]["name"] for job in jobs] == ["migratable-audit"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"shards": 0}, "minimum: got 0, want 1"),
        ({"shards": 1001}, "maximum: got 1,001, want 1,000"),
        ({"parallelism": 0}, "minimum: got 0, want 1"),
        ({"mergeSchedule": "@hourly", "shards": 2}, "there are no files to merge. Set audit.reportVolume"),
        ({"mergeSchedule": "@hourly", "reportVolume": VOLUME}, "and audit.shards to 2 or more"),
        ({"reportVolume": {"emptyDir": {}, "hostPath": {"path": "/"}}}, "maxProperties"),
    ],
)
def test_values_of_shards_that_cannot_work_are_refused(values: dict[str, Any], said: str) -> None:
    """
    Before the installation.
    """
    assert said in refusal({"audit": {"enabled": True, **values}})
