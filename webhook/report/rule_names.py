"""Finds rules by id, name, or the first digits of an id."""

import re

from webhook.rules.register import RULES
from webhook.rules.rule import FAMILIES

_ID = re.compile(r"lm\d{0,3}")
_LIKE_AN_ID = re.compile(r"lm[0-9oil]{3}")
_FAMILY = re.compile(r"lm\d\d?")
_NEAR_NAME, _NEAR_ID = 0.6, 0.8
"""Minimum similarity of a match. An id of five characters may differ in one digit, or have two digits swapped."""
_DIGITS = str.maketrans("oil", "011")


def find_rule(word: str) -> str | None:
    """The id of the rule with the id or name ``word``, in upper or lower case."""
    wanted = word.strip().lower()
    return next((rule.id for rule in RULES if wanted in (rule.id.lower(), rule.name)), None)


def find_rules(word: str) -> list[str]:
    """The ids of the rules that ``word`` names: an id, a name, or the start of ids (``LM2`` is all storage rules)."""
    identity = find_rule(word)
    if identity is not None:
        return [identity]
    wanted = word.strip().lower()
    return [rule.id for rule in RULES if _ID.fullmatch(wanted) and rule.id.lower().startswith(wanted)]


def closest(word: str) -> str | None:
    """The id or name that is most similar to ``word``, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for errors

    wanted = word.strip().lower().replace("_", "-")
    is_id = _LIKE_AN_ID.fullmatch(wanted) is not None
    if is_id:
        wanted = "lm" + wanted[2:].translate(_DIGITS)
    elif _FAMILY.fullmatch(wanted):
        return None  # a family such as LM27 would match ids that contain these digits in another place
    names = {known.lower(): known for rule in RULES for known in (rule.id, rule.name)}
    if is_id:
        names = {name: known for name, known in names.items() if _is_near_id(wanted, name)}
    near = get_close_matches(wanted, names, n=1, cutoff=_NEAR_ID if is_id else _NEAR_NAME)
    within = [name for name in names if len(wanted) > 2 and wanted in name]
    return names[near[0]] if near else names[within[0]] if within else None


def _is_near_id(wanted: str, name: str) -> bool:
    """Whether two texts of the same length differ in at most one character, or two neighbouring characters are swapped."""
    if len(wanted) != len(name):
        return False
    different = [index for index, (one, other) in enumerate(zip(wanted, name, strict=True)) if one != other]
    if len(different) < 2:
        return True
    first, last = different[0], different[-1]
    return len(different) == last - first + 1 == 2 and wanted[first] == name[last] and wanted[last] == name[first]


def hint(word: str) -> str:
    """
    A suggestion in parentheses for an unknown rule: a similar rule, or the families of rules. The text is empty if there is
    no suggestion.
    """
    suggestion = closest(word)
    if suggestion:
        return f" (did you mean {suggestion}?)"
    wanted = word.strip().lower()
    digits = wanted[2:]
    if not _ID.fullmatch(wanted) or not digits or (len(digits) == 3 and digits[0] in FAMILIES):
        return ""
    if find_rules(word):
        return f" (several ids start like this, for rules about {FAMILIES[digits[0]]}; name one rule)"
    return f" (families: {', '.join(f'LM{digit} for {about}' for digit, about in FAMILIES.items())})"
