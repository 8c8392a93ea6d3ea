"""
Clones and restores with patches get a warning. A clone or restore is denied if a patch changes more than the VM's spec,
labels and annotations.

virt-controller applies the patches to the whole VM before it creates the VM (``patchVM`` in
``pkg/storage/snapshot/restore.go``, v1.9.0). KubeVirt's webhook compares the text of a patch without decoding it, and skips
the check while the snapshot does not exist (``pkg/storage/admitters/vmrestore.go``). So a patch with an escaped key could
write an owner reference.

The patched VM is judged when virt-controller creates it. A denial of this creation reaches only virt-controller, which retries
with back-off and records an event of the VirtualMachineRestore. If the source VM of a clone is known without a read, a warning
names the violations that the patches add. The patches of a restore apply to a snapshot, which this server has no permission to
read.
"""

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from webhook.facts.unknown import ABSENT, Unknown
from webhook.facts.world import World, for_advice
from webhook.judging.finding import Judgement
from webhook.judging.patched_copies import problems_of_copy, source_of
from webhook.objects.json_depth import decode
from webhook.objects.kinds import PATCHED_COPY_BY_GROUP_KIND
from webhook.objects.meta import Kubernetes
from webhook.objects.review import RawRequest, StatusCause
from webhook.objects.vm import PatchedCopy, VirtualMachine

MESSAGE: Final = "the patched VM is judged when KubeVirt creates it; see the events of the VirtualMachineRestore"
NOT_A_PATCH: Final = "not a single JSON Patch operation. Write an object with op and path, without duplicate keys"
OUTSIDE: Final = "outside /spec/, /metadata/labels and /metadata/annotations. Patch only these parts of the VM"
_PATCHABLE_METADATA: Final = ("labels", "annotations")
_decoder = msgspec.json.Decoder(PatchedCopy)


def patches_of(request: RawRequest) -> list[str]:
    """The patches of a clone or restore that this request creates; empty if the object cannot be read."""
    is_carrier = (request.kind.group, request.kind.kind) in PATCHED_COPY_BY_GROUP_KIND
    if not is_carrier or request.operation != "CREATE" or request.sub_resource:
        return []
    try:
        return decode(_decoder, request.object).spec.patches or []
    except ValueError:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        return []


def problems_of(
    request: RawRequest, patches: list[str], world: World, judge: Callable[[Kubernetes, World], Judgement]
) -> tuple[StatusCause, ...]:
    """
    The causes of warnings about a clone whose source VM is known without a read: the violations that the patches add.
    """
    source = decode(_decoder, request.object).spec.source
    api_version = f"{request.kind.group}/{request.kind.version}"
    name = source_of(api_version, request.kind.kind, {"source": source, "patches": patches})
    known = for_advice(world)
    vm = known.find(VirtualMachine, request.namespace, name) if name else ABSENT
    if not isinstance(vm, VirtualMachine):
        return ()
    problems = problems_of_copy(vm, patches, lambda judged: judge(judged, known))
    return tuple(
        StatusCause(
            "FieldValueInvalid",
            f"the patched VM: {problem.message}",
            "spec.patches" if problem.index is None else f"spec.patches[{problem.index}]",
        )
        for problem in (() if isinstance(problems, Unknown) else problems)
    )


def about_patches() -> StatusCause:
    """The cause of the warning about patches."""
    return StatusCause("FieldValueInvalid", MESSAGE, "spec.patches")


def bad_patches(patches: list[str]) -> tuple[StatusCause, ...]:
    """
    A cause for each patch that is invalid or that reads or writes outside the patchable parts of the VM.
    """
    return tuple(
        StatusCause("FieldValueInvalid", problem, f"spec.patches[{index}]")
        for index, patch in enumerate(patches)
        if (problem := _problem(patch))
    )


def _problem(patch: str) -> str:
    try:
        operation = json.loads(patch, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return NOT_A_PATCH
    if not isinstance(operation, dict) or "path" not in operation:
        return NOT_A_PATCH
    pointers = {key: operation[key] for key in ("path", "from") if key in operation}
    return next((f"{key} is {OUTSIDE}" for key, pointer in pointers.items() if not _stays_inside(pointer)), "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes a JSON object. Raises ValueError for a duplicate key, because parsers disagree about the value of such a key."""
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError
    return unique


def _stays_inside(pointer: object) -> bool:
    """
    Whether a JSON Pointer points into a patchable part. The names of the patchable fields need no escapes (``~0``, ``~1``).
    """
    if not isinstance(pointer, str):
        return False
    root, *tokens = pointer.split("/")
    if root or len(tokens) < 2:
        return False
    return tokens[0] == "spec" or (tokens[0] == "metadata" and tokens[1] in _PATCHABLE_METADATA)
