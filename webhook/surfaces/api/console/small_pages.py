"""The pages for operators that need no objects of a cluster: sign-in, and errors. This module does no I/O."""

from typing import Final

from webhook.surfaces.api.page.layout import document
from webhook.surfaces.api.page.markup import Child, Html, element, prose

TITLE: Final = "Sign in"
FLEET: Final = "/fleet"
_LEAD: Final = (
    "The pages show only what your account may list in the cluster. The server keeps no token: your browser keeps it until you "
    "sign out or close the browser."
)
_HOW: Final = (
    "`kubectl create token NAME --namespace NAMESPACE --audience migratable` creates a token of a ServiceAccount. "
    "`kubectl config view --minify --raw` can show the token of your kubeconfig."
)


def sign_in(to: str, problem: str = "") -> bytes:
    """The form for a token. ``to`` is the path of the page that follows, and ``problem`` is the reason for another attempt."""
    return document(
        TITLE,
        element("h1", "Sign in to the fleet pages"),
        element("p", _LEAD, class_="lead"),
        element("p", problem, class_="notice", role="alert") if problem else None,
        element(
            "form",
            element("label", "Bearer token", for_="token"),
            element(
                "input",
                id="token",
                name="token",
                type="password",
                autocomplete="off",
                autocapitalize="off",
                spellcheck="false",
                required=True,
                aria_describedby="how",
            ),
            element("input", type="hidden", name="to", value=to),
            element("button", "Sign in", class_="main"),
            class_="signin",
            method="post",
            action="/sign-in",
        ),
        element("p", prose(_HOW), class_="small", id="how"),
        element("p", "Are you signed in already? ", element("a", "Open the page", href=to), class_="small"),
        here=FLEET,
        kind="signin",
        has_fleet=True,
    )


def sign_out() -> bytes:
    """The button that signs out."""
    return document(
        "Sign out",
        element("h1", "Sign out of the fleet pages"),
        element("p", "The token is then removed from this browser. It stays valid until it expires."),
        sign_out_form(),
        here=FLEET,
        kind="signin",
        has_fleet=True,
    )


def sign_out_form() -> Html:
    """A button that signs out."""
    return element("form", element("button", "Sign out"), method="post", action="/sign-out")


def error(title: str, problem: str, remedy: str, *more: Child) -> bytes:
    """A page that says what is wrong, and what to do."""
    return document(
        title,
        element("h1", title),
        element("p", f"{problem[:1].upper()}{problem[1:]}."),
        element("p", remedy),
        *more,
        here=FLEET,
        kind="signin",
        has_fleet=True,
    )


def namespace_needed(user: str, problem: str, path: str) -> bytes:
    """The form that names a namespace. ``path`` is the path of the page that follows."""
    return document(
        "Choose a namespace",
        element("h1", "Choose a namespace"),
        element("p", problem, " Name a namespace."),
        element(
            "form",
            element("label", "Namespace", for_="namespace"),
            element("input", id="namespace", name="namespace", maxlength=63, required=True, autocomplete="off"),
            element("button", "Show", class_="main"),
            class_="signin",
            method="get",
            action=path,
        ),
        sign_out_form(),
        here=FLEET,
        kind="signin",
        has_fleet=True,
    )
