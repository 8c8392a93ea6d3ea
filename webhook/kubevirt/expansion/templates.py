"""
What can be said of each entry of ``dataVolumeTemplates``, beside the claim that it makes.

This module does no I/O.
"""

from collections.abc import Iterator, Sequence

from webhook.facts.migration import ClaimFacts, TemplateFacts
from webhook.facts.world import World
from webhook.kubevirt.expansion.claims import of_template
from webhook.kubevirt.expansion.inherited import Brought
from webhook.kubevirt.expansion.volumes import made_from
from webhook.kubevirt.subject import Subject, name_of_template


def templates_of(
    subject: Subject, world: World, brought: Brought, claims: Sequence[ClaimFacts]
) -> tuple[TemplateFacts, ...]:
    """The entries in order."""
    return tuple(_facts(subject, world, brought, claims))


def _facts(subject: Subject, world: World, brought: Brought, claims: Sequence[ClaimFacts]) -> Iterator[TemplateFacts]:
    made = made_from(subject.data_volumes, brought)
    behind = {each.claim: each.access_modes for each in claims}  # equal for equal names
    first: dict[str, int] = {}
    for index, entry in enumerate(subject.vm.data_volume_templates or ()):
        name = name_of_template(entry)
        earlier = first.setdefault(name, index)
        asked = of_template(world, name, made[name]) if name in behind and name in made else None
        yield TemplateFacts(
            name,
            (*subject.owner, "dataVolumeTemplates", index),
            earlier if earlier != index else None,
            asked.access_modes if asked is not None else None,
            behind.get(name),
            asked.expected_from if asked is not None else "",
        )
