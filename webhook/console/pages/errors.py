"""The pages for a wrong address or parameter. They name no object, so they are the same for hidden and for missing objects."""

from webhook.console.pages.frame import notices, page
from webhook.console.pages.seen import Seen
from webhook.errors import BadInput
from webhook.report.phrases import capitalized
from webhook.report.sentences import sentence
from webhook.surfaces.api.page.markup import element


def not_found(seen: Seen, what: str = "page") -> bytes:
    """The page for an address without a page, or of an object that does not exist or may not be seen."""
    limited = seen.sight.namespaces is not None or not (seen.sight.nodes and seen.sight.policies)
    right = ", or your account may not see it" if limited else ""
    return page(
        seen,
        "Not found",
        element("h1", "Not found"),
        notices(seen),
        element("p", f"There is no such {what}{right}."),
    )


def bad_parameter(seen: Seen, error: BadInput) -> bytes:
    """The page for a parameter that the page does not have, or with a wrong value."""
    message = sentence(error.message)
    return page(
        seen,
        "Wrong parameter",
        element("h1", "Wrong parameter"),
        element("p", capitalized(message)),
        element("p", error.remedy),
    )
