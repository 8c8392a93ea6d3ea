"""Fixes of findings about the KubeVirt CR and MigrationPolicies."""

from collections.abc import Callable, Iterator, Mapping

from webhook.fixes.fix import Fix, find, remove, replace
from webhook.judging.finding import Finding
from webhook.kubevirt.settings.selectors import MATCH_LABELS, flattened
from webhook.kubevirt.settings.settings import SETTINGS, Type
from webhook.objects.meta import Json
from webhook.objects.whole_number import whole_number

_BOOLEANS = {"true": True, "false": False}


def _type(finding: Finding, raw: Json) -> Iterator[Fix]:
    """Removes the quotes around a number or boolean."""
    written, setting = find(raw, finding.path), SETTINGS.get(str(finding.path[-1]))
    if setting is None or not isinstance(written, str):
        return
    meant: Json = None
    if setting.type is Type.BOOLEAN:
        meant = _BOOLEANS.get(written)
    elif setting.type in (Type.UINT32, Type.INT64, Type.UINT64):
        number = whole_number(written)
        meant = number if str(number) == written else None
    if meant is not None:
        yield Fix("remove the quotes", replace(raw, finding.path, meant), is_safe=True)


def _remove(target: str) -> Callable[[Finding, Json], Iterator[Fix]]:
    def make(finding: Finding, raw: Json) -> Iterator[Fix]:
        if find(raw, finding.path) is not None:
            yield Fix(f"remove {target}", remove(raw, finding.path))

    return make


def _disruption(finding: Finding, raw: Json) -> Iterator[Fix]:
    base = finding.path[:-1]
    if find(raw, (*base, "allowWorkloadDisruption")) is not None:
        yield Fix("remove allowWorkloadDisruption", remove(raw, (*base, "allowWorkloadDisruption")))
    if find(raw, (*base, "allowPostCopy")) is True:
        yield Fix("write allowPostCopy: false", replace(raw, (*base, "allowPostCopy"), False))


def _policy_setting(finding: Finding, raw: Json) -> Iterator[Fix]:
    yield from _type(finding, raw)
    base = finding.path[:-1]
    selector = find(raw, base) if finding.path[-1] == MATCH_LABELS else None
    if isinstance(selector, dict) and (labels := flattened(selector)):
        patch = replace(raw, base, dict(labels))
        yield Fix("write the labels of matchLabels directly into the selector", patch, is_safe=True)


FIXES: Mapping[str, Callable[[Finding, Json], Iterator[Fix]]] = {
    "LM601": _type,
    "LM603": _remove("the field until the cluster runs a release that has it"),
    "LM617": _disruption,
    "LM618": _remove("disableTLS"),
    "LM619": _remove("unsafeMigrationOverride"),
    "LM622": _remove("the feature gate"),
    "LM623": _remove("the feature gate, which no longer has an effect"),
    "LM631": _policy_setting,
    "LM633": _remove("the field until the cluster runs a release that has it"),
    "LM638": _disruption,
}
