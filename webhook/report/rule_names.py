"""Rules by what people call them: id, name, or the first digits of an id."""

import re

from webhook.rules.register import RULES
from webhook.rules.rule import FAMILIES

_ID = re.compile(r"lm\d{0,3}")
_LIKE_AN_ID = re.compile(r"lm[0-9oil]{3}")
_FAMILY = re.compile(r"lm\d\d?")
_NEAR_NAME, _NEAR_ID = 0.6, 0.8
"""An id of five characters is near one with another digit, or with two of them exchanged; with two others it is far."""
_DIGITS = str.maketrans("oil", "011")


def find_rule(word: str) -> str | None:
    """The id of the rule whose id or name is ``word``, in any case."""
    wanted = word.strip().lower()
    return next((rule.id for rule in RULES if wanted in (rule.id.lower(), rule.name)), None)


def find_rules(word: str) -> list[str]:
    """The ids that ``word`` means: one rule's id or name, or all that begin so (``LM2`` is all about storage)."""
    found = find_rule(word)
    if found is not None:
        return [found]
    wanted = word.strip().lower()
    return [rule.id for rule in RULES if _ID.fullmatch(wanted) and rule.id.lower().startswith(wanted)]


def closest(word: str) -> str | None:
    """The id or name that ``word`` was probably meant to be, or None where nothing is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes alone

    wanted = word.strip().lower().replace("_", "-")
    is_id = _LIKE_AN_ID.fullmatch(wanted) is not None
    if is_id:
        wanted = "lm" + wanted[2:].translate(_DIGITS)
    elif _FAMILY.fullmatch(wanted):
        return None  # the first digits of an id are nearest to ids that have them somewhere else
    names = {known.lower(): known for rule in RULES for known in (rule.id, rule.name)}
    near = get_close_matches(wanted, names, n=1, cutoff=_NEAR_ID if is_id else _NEAR_NAME)
    within = [name for name in names if len(wanted) > 2 and wanted in name]
    return names[near[0]] if near else names[within[0]] if within else None


def hint(word: str) -> str:
    """`` (did you mean …?)``, or which families of rules there are, or nothing."""
    close = closest(word)
    if close:
        return f" (did you mean {close}?)"
    wanted = word.strip().lower()
    digits = wanted[2:]
    if not _ID.fullmatch(wanted) or not digits or (len(digits) == 3 and digits[0] in FAMILIES):
        return ""
    if find_rules(word):
        return f" (this is the start of several ids, about {FAMILIES[digits[0]]}; name one rule)"
    return f" (families: {', '.join(f'LM{digit} for {about}' for digit, about in FAMILIES.items())})"
