"""Makes JSON of the texts that people read, so that what is fixed in them is compared apart from the wording."""

import base64
import json
import re
from typing import Any

_OBJECT = re.compile(r"(?P<location>\S.*?:\d+) (?P<kind>[A-Z]\w*) (?P<name>\S+?|\(no name\))(?:: (?P<headline>.+))?")
_FINDING = re.compile(
    r" +(?P<action>[a-z]+) +(?P<rule>LM\d{3}) (?P<name>[\w-]+)(?: (?P<text>\(.*?\)))?(?:  (?P<location>\S+:\d+:\d+))?"
    r"(?:  (?P<path>\S+))?"
)
_FRAME = re.compile(r" +\d* [|:](?: .*)?")
_LABEL = re.compile(r" +(?=[a-z][a-z ]*: )")
_REASON = re.compile(r"\b[A-Z]\w*LiveMigratable\b")
_RELEASE = re.compile(r"\b1\.\d+\b")
SENTENCE = " ¶ "
"""Begins a sentence that has a label, such as `fix:`, in the text of a finding."""
_COUNTS = re.compile(r"\d+")
_WARNING = re.compile(r"\[(?P<rule>LM\d{3})\] (?P<path>\S+): (?P<message>.*)", re.DOTALL)
_CAUSE = re.compile(r"(?P<message>.*) \[(?P<rule>LM\d{3}) (?P<name>[\w-]+)\]", re.DOTALL)
_MORE = re.compile(r"\d+ more\b")


def answer(text: str) -> dict[str, Any]:
    """The output of `check -o text`: objects, their findings, and the sentences of each."""
    made: dict[str, Any] = {"objects": [], "prose": ""}
    holder = made
    for line in text.splitlines():
        if not line:
            continue
        if seen := _OBJECT.fullmatch(line):
            headline = seen["headline"] or ""
            fixed = {"reason": _REASON.findall(headline), "release": _RELEASE.findall(headline)}
            holder = {**seen.groupdict(), "findings": [], "prose": "", "headline": headline, **fixed}
            made["objects"].append(holder)
        elif made["objects"] and (seen := _FINDING.fullmatch(line)):
            holder = {**{key: value or "" for key, value in seen.groupdict().items()}, "frame": [], "prose": ""}
            made["objects"][-1]["findings"].append(holder)
        elif "frame" in holder and _FRAME.fullmatch(line):
            holder["frame"].append(line.strip())
        else:
            if not line.startswith(" "):
                holder = made
            holder["prose"] += (SENTENCE if _LABEL.match(line) else " ") + line.strip()
    made["summary"] = _COUNTS.findall(text.rstrip().rpartition("\n")[2])
    return made


def patches(text: str) -> dict[str, Any]:
    """The output of `check --options` and `check --diff`: the lines of the patches, and the sentences between them."""
    lines = text.splitlines()
    return {
        "patches": [line for line in lines if line[:1] in ("+", "-", "@", " ")],
        "prose": "\n".join(line for line in lines if line and line[:1] not in ("+", "-", "@", " ")),
    }


def review(status: int, body: bytes) -> dict[str, Any]:
    """An answer of admission: its patch decoded, and rule and field taken out of causes and warnings."""
    made: dict[str, Any] = {"httpStatus": status, "crash": "Traceback" if b"Traceback" in body else ""}
    try:
        made["review"] = json.loads(body)
    except ValueError:
        return {**made, "text": body.decode(errors="replace")}
    response = made["review"].get("response") if isinstance(made["review"], dict) else None
    if not isinstance(response, dict):
        return made
    if "patch" in response:
        response["patch"] = json.loads(base64.b64decode(response["patch"]))
    if "warnings" in response:
        response["warnings"] = [_parts(_WARNING, warning) for warning in response["warnings"]]
    for cause in (response.get("status") or {}).get("details", {}).get("causes") or ():
        cause.update(_parts(_CAUSE, cause["message"]))
    return made


def _parts(pattern: re.Pattern[str], text: str) -> dict[str, Any]:
    seen = pattern.fullmatch(text)
    return dict(seen.groupdict()) if seen else {"message": text, "more": _MORE.findall(text)}
