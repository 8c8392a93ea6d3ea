"""The pages for operators that need no objects of a cluster: sign-in, and errors. This module does no I/O."""

from collections.abc import Iterable
from typing import Final

from webhook.report.phrases import capitalized
from webhook.surfaces.api.page.layout import FLEET, document
from webhook.surfaces.api.page.markup import Child, Html, element

_LEAD: Final = (
    "The pages show only what your account may list in the cluster. The server keeps no token. Your browser keeps it until you "
    "sign out or close the browser."
)
_COMMAND: Final = "kubectl create token NAME --namespace NAMESPACE --audience migratable"


def sign_in(to: str, problem: str = "") -> bytes:
    """The form for a token. ``to`` is the path of the page that follows, and ``problem`` is the reason for another attempt."""
    return _page(
        "Sign in",
        element("h1", "Sign in"),
        element("p", _LEAD, class_="lead"),
        element("p", problem, class_="notice problem", role="alert", id="problem") if problem else None,
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
                aria_describedby="problem how" if problem else "how",
            ),
            element("input", type="hidden", name="to", value=to),
            element("button", "Sign in", class_="main"),
            method="post",
            action="/sign-in",
        ),
        element(
            "div",
            element("p", "For a token of a ServiceAccount that is valid only here, run:"),
            element("pre", element("code", _COMMAND)),
            element("p", "Or use a token with which you reach the API server, such as the token of your kubeconfig."),
            class_="small",
            id="how",
        ),
        element("p", "Are you signed in already? ", element("a", "Open the page", href=to), class_="small"),
    )


def sign_out() -> bytes:
    """The button that signs out."""
    return _page(
        "Sign out",
        element("h1", "Sign out"),
        element("p", "This browser then forgets the token. The token stays valid until it expires."),
        _sign_out_form(),
    )


def _sign_out_form() -> Html:
    return element("form", element("button", "Sign out", class_="main"), method="post", action="/sign-out")


def nothing_visible(user: str) -> bytes:
    """The page for a user who may see nothing."""
    return _page(
        "No VMs to show",
        element("h1", "No VMs to show"),
        element(
            "p",
            "Your account ",
            element("code", user),
            " may list VirtualMachines and VirtualMachineInstances neither in all namespaces nor in a namespace that has VMs.",
        ),
        element(
            "p",
            "Ask an administrator of the cluster for a Role with ",
            element("code", "list"),
            " on ",
            element("code", "virtualmachines"),
            " and ",
            element("code", "virtualmachineinstances"),
            " of ",
            element("code", "kubevirt.io"),
            ", or sign out and use another token.",
        ),
        user=user,
    )


def namespace_needed(user: str, problem: str, path: str, kept: Iterable[tuple[str, str]] = ()) -> bytes:
    """The form that names a namespace. ``path`` is that of the page that follows, and ``kept`` are its other parameters."""
    return _page(
        "Choose a namespace",
        element("h1", "Choose a namespace"),
        element("p", problem, " Name a namespace."),
        element(
            "form",
            element("label", "Namespace", for_="namespace"),
            element("input", id="namespace", name="namespace", maxlength=63, required=True, autocomplete="off"),
            (element("input", type="hidden", name=name, value=value) for name, value in kept),
            element("button", "Show", class_="main"),
            method="get",
            action=path,
        ),
        user=user,
    )


def error(title: str, problem: str, remedy: str) -> bytes:
    """A page that says what is wrong, and what to do."""
    return _page(title, element("h1", title), element("p", f"{capitalized(problem)}."), element("p", remedy))


def _page(title: str, *content: Child, user: str = "") -> bytes:
    return document(title, *content, here=FLEET, kind="signin", has_fleet=True, user=user)
