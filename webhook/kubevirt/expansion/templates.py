"""Facts about the entries of ``dataVolumeTemplates``. This module does no I/O."""

from collections.abc import Iterator, Sequence

from webhook.facts.migration import ClaimFacts, TemplateFacts
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import of_template
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.expansion.volumes import made_from
from webhook.kubevirt.subject import Subject, name_of_template


def templates_of(
    subject: Subject, world: World, inherited: Inherited, claims: Sequence[ClaimFacts]
) -> tuple[TemplateFacts, ...]:
    """The facts about each entry, in order."""
    return tuple(_facts(subject, world, inherited, claims))


def _facts(
    subject: Subject, world: World, inherited: Inherited, claims: Sequence[ClaimFacts]
) -> Iterator[TemplateFacts]:
    made = made_from(subject.data_volumes, inherited)
    behind = {claim.claim: claim.access_modes for claim in claims}  # claims with the same name have the same modes
    first: dict[str, int] = {}
    for index, entry in enumerate(subject.vm.data_volume_templates or ()):
        name = name_of_template(entry)
        earlier = first.setdefault(name, index)
        expected = of_template(world, name, made[name]) if name in behind and name in made else None
        yield TemplateFacts(
            name,
            (*subject.owner, "dataVolumeTemplates", index),
            earlier if earlier != index else None,
            expected.access_modes if expected is not None else None,
            behind.get(name),
            expected.expected_from if expected is not None else "",
        )
