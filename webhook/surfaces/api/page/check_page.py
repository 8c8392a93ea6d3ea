"""The page that checks pasted manifests. This module does no I/O."""

from typing import Final

from webhook.kubevirt.releases import NEWEST, OLDEST_SUPPORTED, PREVIEW, TABLE
from webhook.policy.policy import Profile
from webhook.surfaces.api.page.examples import EXAMPLES, Example
from webhook.surfaces.api.page.layout import badge, document
from webhook.surfaces.api.page.markup import Html, element, join

TITLE: Final = "Can KubeVirt live-migrate this VM?"
_LEAD: Final = (
    "Paste a VirtualMachine and the objects that it refers to: claims, DataVolumes, instancetypes, the KubeVirt CR. The "
    "answer is the verdict of KubeVirt itself, with a fix for each problem. The server stores nothing."
)
_PLACEHOLDER: Final = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: …"

_PROFILES: Final = "strict also refuses what is on Migratable's fixed list, exact refuses only what KubeVirt refuses"
_VERDICTS: Final = (
    (
        "deny",
        "would be refused",
        "The policy of this server refuses the object at admission. Each finding has a line and a remedy.",
    ),
    ("open", "unproven", "The result depends on an object that is not among the manifests. The finding names it."),
    ("warn", "would get a warning", "The object is accepted, but a migration or a node drain can fail."),
    ("good", "would be accepted", "KubeVirt can live-migrate the VM in the chosen releases."),
)


def page(profile: str, release: str, *, has_cluster: bool, has_fleet: bool = False) -> bytes:
    """
    The page. ``profile`` and ``release`` are the server's own. ``has_cluster`` adds the field for a token, and ``has_fleet``
    the link to the pages for operators.

    ``release`` is empty if the KubeVirt CR among the manifests decides.
    """
    return document(
        TITLE,
        element("div", element("h1", TITLE), element("p", _LEAD, class_="lead"), class_="intro"),
        element(
            "noscript",
            element(
                "p",
                "A check needs JavaScript. Without it, use ",
                element("code", "migratable check FILE"),
                ". The pages of the ",
                element("a", "rules", href="/rules"),
                " need none.",
                class_="unscripted",
            ),
        ),
        element("div", _editor(profile, release, has_cluster=has_cluster), _answer(), class_="work"),
        here="/",
        kind="check",
        scripts=("/check.js",),
        has_fleet=has_fleet,
    )


def _editor(profile: str, release: str, *, has_cluster: bool) -> Html:
    return element(
        "section",
        element(
            "div",
            element("label", "Manifests, YAML or JSON", for_="manifest", class_="title"),
            element("div", _menu(), _tools(), class_="tools"),
            class_="toolbar",
        ),
        element("div", _choices(profile, release), class_="toolbar choices"),
        element(
            "div",
            element(
                "div",
                element("pre", "1", id="numbers"),
                element("div", id="marks"),
                class_="gutter",
                aria_hidden="true",
            ),
            element(
                "div",
                element("div", element("div", id="lens"), class_="layer", aria_hidden="true"),
                element(
                    "textarea",
                    id="manifest",
                    wrap="off",
                    spellcheck="false",
                    autocomplete="off",
                    autocapitalize="off",
                    placeholder=_PLACEHOLDER,
                    aria_describedby="keys",
                ),
                class_="code",
            ),
            class_="pane",
        ),
        element(
            "p",
            "Checked as you type. ",
            element("kbd", "Ctrl"),
            " + ",
            element("kbd", "Enter"),
            " checks at once, ",
            element("kbd", "F8"),
            " goes to the next finding. Files can be dropped anywhere.",
            class_="small",
            id="keys",
        ),
        _access() if has_cluster else None,
        class_="editor scripted",
    )


def _menu() -> Html:
    items = (
        element("li", element("a", element("strong", one.title), " ", element("span", one.result), href=one.path))
        for one in EXAMPLES
    )
    return element("details", element("summary", "Examples"), element("ul", items), class_="menu", id="examples")


def _tools() -> Html:
    return join(
        element("button", "Open files", id="open", type="button"),
        element("input", id="files", type="file", multiple=True, hidden=True, accept=".yaml,.yml,.json"),
        element("button", "Copy", id="copy", type="button"),
        element("button", "Download", id="download", type="button"),
        element("button", "Copy link", id="link", type="button"),
        element("button", "Clear", id="clear", type="button"),
    )


def _choices(profile: str, release: str) -> Html:
    return join(
        element("button", "Check", id="check", type="button", class_="main"),
        element("span", element("label", "KubeVirt ", for_="release"), _releases(release)),
        element("span", element("label", "Profile ", for_="profile"), _profiles(profile)),
        element("span", id="progress", class_="small", role="status"),
    )


def _releases(pinned: str) -> Html:
    """The choice of every release that ``check`` accepts, newest first."""
    any_release = f"{OLDEST_SUPPORTED} to {NEWEST}"
    labels = {"": f"{pinned or any_release} (default)", "any": f"{any_release} (any)"}
    for behaviour in reversed(TABLE):
        name = str(behaviour.release)
        labels[name] = f"{name} (preview)" if behaviour.release == PREVIEW else name
    options = (element("option", label, value=value) for value, label in labels.items())
    return element("select", options, id="release", data_any=any_release)


def _profiles(default: str) -> Html:
    options = (
        element(
            "option",
            f"{profile}{' (default)' if profile == default else ''}",
            value=profile,
            selected=profile == default,
        )
        for profile in Profile
    )
    return element("select", options, id="profile", data_default=default, title=_PROFILES)


def _access() -> Html:
    return element(
        "p",
        element("label", "Bearer token, to also use objects of the cluster", for_="token"),
        element("input", id="token", type="password", autocomplete="off", spellcheck="false"),
        class_="access",
    )


def _answer() -> Html:
    return element(
        "section",
        element("h2", "Answer", id="answer-label", class_="title"),
        element(
            "div",
            element("p", "Nothing to check yet", class_="headline"),
            id="verdict",
            class_="verdict scripted",
            role="status",
        ),
        element("div", id="notice", class_="notice", role="status", hidden=True),
        element("div", id="answer", hidden=True),
        element(
            "div",
            element("p", "Paste, type or drop manifests, or begin with an example:"),
            element("ul", map(_card, EXAMPLES), class_="cards"),
            element("dl", (_explained(*verdict) for verdict in _VERDICTS), class_="legend"),
            id="start",
        ),
        class_="answer",
        aria_labelledby="answer-label",
    )


def _explained(state: str, words: str, meaning: str) -> Html:
    return join(element("dt", badge(state, words)), element("dd", meaning))


def _card(one: Example) -> Html:
    link = element("a", one.title, href=one.path, class_="example-link")
    return element("li", link, badge(one.state, one.result))
