"""
The process that reads a cluster or files, and renders the pages for operators: ``python -m webhook.console FD``.

The only input is a socket to the server. The process ends when the server closes the socket. It never gets a token of a caller:
the server sends what the caller may see.
"""

import logging
import os
import resource
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from webhook.cluster.kubeconfig import target
from webhook.cluster.kubernetes_client import connect
from webhook.console.cluster_source import ClusterSource
from webhook.console.followed_files import FollowedFiles
from webhook.console.pages.router import render
from webhook.console.state import Source
from webhook.errors import WebhookError
from webhook.manifests.policy_file import parse_policy
from webhook.objects.fleet_kinds import prepare_decoding
from webhook.processes.logs import log_to_stderr
from webhook.processes.policy_source import PolicySource
from webhook.surfaces.api.console.messages import (
    MOST_BYTES,
    Failed,
    NamespacesReply,
    NamespacesRequest,
    PageReply,
    PageRequest,
    Refused,
    Reply,
    Request,
    Start,
    Started,
    VersionReply,
    VersionRequest,
    decode_request,
    encode,
)

log = logging.getLogger("migratable.console")

LOWEST_PRIORITY = 19
"""Admission comes first on a shared core."""
ENDED = 3
"""The exit status if the judgements end with an error."""


class RunningSource(Source, Protocol):
    """A source with a thread of its own."""

    def run(self, stopping: threading.Event) -> None:
        """Judges until ``stopping`` is set."""
        ...


def main(arguments: Sequence[str]) -> None:
    """Answers requests until the server closes the socket."""
    os.nice(LOWEST_PRIORITY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain the objects of a cluster
    log_to_stderr()
    prepare_decoding()
    threading.Thread(target=_end_with_server, args=(int(arguments[0]),), name="server", daemon=True).start()
    with suppress(EOFError, OSError), Connection(int(arguments[0])) as server:
        start = decode_request(server.recv_bytes())
        if not isinstance(start, Start):
            raise TypeError(type(start).__name__)
        try:
            source = open_source(start)
        except WebhookError as error:
            server.send_bytes(encode(Refused(error.message, error.remedy)))
            return
        server.send_bytes(encode(Started()))
        threading.Thread(target=partial(_judge, source), name="judge", daemon=True).start()
        while True:
            server.send_bytes(encoded(answer(source, decode_request(server.recv_bytes()))))


def _end_with_server(socket: int) -> None:
    """Ends the process when the server closes the socket, also while files are read: a read of a network disk can hang."""
    closed = select.poll()
    closed.register(socket, 0)  # POLLHUP needs no flag
    closed.poll()
    os._exit(0)


def open_source(start: Start) -> RunningSource:
    """The source of the objects. Raises Misconfigured if files cannot be read, or if there are no credentials."""
    policy_file = Path(start.policy_file) if start.policy_file else None
    settings = PolicySource(policy_file, partial(parse_policy, source=start.policy_file), start.release)
    if start.files:
        return FollowedFiles(start.files, settings)
    kubeconfig = Path(start.kubeconfig) if start.kubeconfig else None
    name = str(target(kubeconfig, start.context)) if kubeconfig is not None else "this cluster"
    return ClusterSource(connect(kubeconfig, start.context), settings, name)


def answer(source: Source, request: Request) -> Reply:
    """The reply to a request. Never raises."""
    try:
        match request:
            case PageRequest():
                version = source.state().version  # if the state changes now, the next request gets the page again
                return PageReply(*render(source, request), version)
            case NamespacesRequest():
                state = source.state()
                return NamespacesReply(tuple(sorted({vm.namespace for vm in state.vms})), not state.unfinished)
            case VersionRequest():
                return VersionReply(source.state().version)
            case _:
                return Failed(type(request).__name__)
    except Exception as error:  # noqa: BLE001 - the outermost handler: the server reports it
        return Failed(type(error).__name__)


def encoded(reply: Reply) -> bytes:
    """A reply as a message. The server would end the process after a message that is too large."""
    message = encode(reply)
    return message if len(message) <= MOST_BYTES else encode(Failed("MessageTooLarge"))


def _judge(source: RunningSource, end: Callable[[int], None] = os._exit) -> None:
    """Judges. If the judgements end with an error, the process ends, and the server starts it again."""
    try:
        source.run(threading.Event())
    except WebhookError as error:
        log.error("the fleet cannot be judged", extra={"problem": error.message})  # noqa: TRY400 - no locals in the log
    except BaseException as error:  # noqa: BLE001 - pages of an old state would be wrong
        log.error("the judgements of the fleet ended", extra={"error": type(error).__name__})  # noqa: TRY400
        end(ENDED)
