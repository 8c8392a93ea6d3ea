"""
Requests to the API server with the ``kubernetes`` client's credentials and connections.

Responses stay raw JSON, because the client's models need twenty times the memory. The client's informer is not used, because it
retries without a pause. Neither is used.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException
from urllib3.util.ssl_ import create_urllib3_context
from yaml import YAMLError

from webhook import __version__
from webhook.cluster.http_client import ConnectionSettings, HttpReader
from webhook.cluster.kubeconfig import target
from webhook.cluster.ports import JSON, Answer, AsyncReader, Stream, TooLarge
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.meta import Json

CONNECT_SECONDS = 5.0
MAX_LINE = 16 * 2**20
"""Maximum size of one watch event in bytes. etcd refuses objects above 1.5 MiB by default."""
_CHUNK = 64 * 1024
_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (urllib3.exceptions.NameResolutionError, "unknown host name"),
    (ssl.SSLCertVerificationError, "its certificate is not signed by the CA of the kubeconfig, or has another name"),
    (ssl.SSLError, "TLS handshake failed"),
    (TimeoutError, "no answer in time"),
)
_CONNECTIONS = 64


def connect(kubeconfig: Path | None = None, context: str | None = None) -> "KubernetesTransport":
    """
    Connects to the cluster of a kubeconfig, or to the cluster that this pod runs in. Raises Misconfigured if there are no
    credentials.
    """
    return KubernetesTransport(api_client(kubeconfig, context))


def api_client(kubeconfig: Path | None, context: str | None) -> client.ApiClient:
    """The client for a cluster. Raises Misconfigured if there are no credentials."""
    if kubeconfig is not None:
        target(kubeconfig, context)
    settings = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=settings)
        else:
            config.load_kube_config(config_file=str(kubeconfig), context=context, client_configuration=settings)
    except (ConfigException, OSError, YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        # the client does not validate a kubeconfig, so a malformed kubeconfig can raise any of these errors
        where = "this pod" if kubeconfig is None else f"kubeconfig {kubeconfig}"
        raise Misconfigured(
            f"{where} has no usable credentials for an API server{_detail(error)}",
            remedy="Run in a pod with a ServiceAccount, or set --kubeconfig, and --context to a context of that file.",
        ) from error
    settings.retries = False  # by default urllib3 retries, follows redirects and sleeps for Retry-After
    settings.connection_pool_maxsize = _CONNECTIONS
    api = client.ApiClient(settings)
    api.user_agent = f"migratable/{__version__}"
    return api


def _detail(error: Exception) -> str:
    """
    Returns the text of an error about a missing file. Returns an empty text for other errors, whose text can contain
    credentials.
    """
    text = str(error)
    return f": {text}" if isinstance(error, ConfigException) and text.startswith("File does not exist: ") else ""


class KubernetesTransport:
    """Sends requests with the client's credentials. Thread-safe."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._open: set[urllib3.BaseHTTPResponse] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._authorization: str | None = None

    def async_reader(self) -> AsyncReader | None:
        """Returns a reader that uses the client's credentials, or None if the client uses a proxy."""
        settings = self.connection_settings()
        return None if settings is None else HttpReader(settings, self._api.user_agent)

    def connection_settings(self) -> ConnectionSettings | None:
        """
        Returns the client's address and certificates, and the token that the client sent last.

        Returns None if the client uses a proxy, or if the certificate files are no longer readable.
        """
        manager = self._api.rest_client.pool_manager
        place = urlsplit(self._api.configuration.host)
        if isinstance(manager, urllib3.ProxyManager) or place.hostname is None:
            return None
        secure = place.scheme == "https"
        try:
            tls = _tls(manager.connection_pool_kw) if secure else None
        except (OSError, ValueError):
            return None
        return ConnectionSettings(
            place.hostname,
            place.port or (443 if secure else 80),
            place.path.rstrip("/"),
            tls,
            manager.connection_pool_kw.get("server_hostname"),
            lambda: self._authorization,
        )

    def get(
        self,
        path: str,
        query: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout_seconds: float,
        max_bytes: int | None = None,
    ) -> Answer:
        """Returns the whole response. Raises Unavailable if the body does not arrive within the timeout."""
        until = monotonic() + timeout_seconds
        response = self._send("GET", path, query, {"Accept": accept}, timeout_seconds)
        try:
            body = bytearray()
            for chunk in response.stream(_CHUNK):
                body += chunk
                if max_bytes is not None and len(body) > max_bytes:
                    raise TooLarge("the response is too large", remedy="Request fewer objects per page.")
                if monotonic() > until:
                    raise Unavailable("the response did not arrive in time", remedy="Migratable retries.")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            response.close()
            raise _broken(error) from error
        except Unavailable:
            response.close()
            raise
        response.release_conn()
        return Answer(response.status, bytes(body))

    def post(self, path: str, body: Json, *, timeout_seconds: float) -> Answer:
        """Returns the whole response to a POST with a JSON body."""
        headers = {"Accept": JSON, "Content-Type": JSON}
        return self._exchange("POST", path, {}, headers, timeout_seconds, body)

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: dict[str, str],
        timeout_seconds: float,
        body: Json,
    ) -> Answer:
        """Returns the whole response to a request with a body."""
        response = self._send(method, path, query, headers, timeout_seconds, body)
        try:
            content = response.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            response.close()
            raise _broken(error) from error
        response.release_conn()
        return Answer(response.status, bytes(content))

    @contextmanager
    def watch(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON, read_seconds: float
    ) -> Iterator[Stream]:
        """Opens a stream of lines. Requests no compression, because compression delays events until a block is full."""
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        response = self._send("GET", path, query, headers, (CONNECT_SECONDS, read_seconds))
        with self._lock:
            self._open.add(response)
            closed = self._closed
        try:
            if closed:
                raise Unavailable("the connection is being closed", remedy="Restart the program.")
            yield _Lines(response)
        finally:
            with self._lock:
                self._open.discard(response)
            response.close()

    def close(self) -> None:
        """Close all open streams. Threads that read a stream get Unavailable."""
        with self._lock:
            self._closed = True
            reading = tuple(self._open)
        for response in reading:
            with suppress(OSError, ValueError, RuntimeError):  # the stream might have ended in the meantime
                response.shutdown()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: dict[str, str],
        timeout: float | tuple[float, float],
        body: Json = None,
    ) -> urllib3.BaseHTTPResponse:
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            request = self._api.param_serialize(
                method, target, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            self._authorization = request[2].get("authorization")
            answer = self._api.call_api(*request, _request_timeout=timeout)
        except (client.ApiException, urllib3.exceptions.HTTPError, ConfigException, OSError) as error:
            raise _broken(error) from error
        response: urllib3.BaseHTTPResponse = answer.response
        return response


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext:
    """Returns the SSL context that urllib3 would create from the client's options."""
    context: ssl.SSLContext = create_urllib3_context(cert_reqs=options.get("cert_reqs"))
    if options.get("assert_hostname") is False or context.verify_mode is ssl.CERT_NONE:
        context.check_hostname = False
    elif options.get("assert_hostname"):
        raise ValueError("assert_hostname is set to a name")
    else:
        context.check_hostname = True
    if options.get("ca_certs") or options.get("ca_cert_data"):
        context.load_verify_locations(options.get("ca_certs"), cadata=options.get("ca_cert_data"))
    else:
        context.load_default_certs()
    if options.get("cert_file"):
        context.load_cert_chain(options["cert_file"], options.get("key_file"))
    return context


class _Lines:
    """The lines of a streamed response."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status

    def __iter__(self) -> Iterator[bytes]:
        pieces: list[bytes] = []
        size = 0
        try:
            for chunk in self._response.stream(_CHUNK):
                head, *rest = chunk.split(b"\n")
                pieces.append(head)
                size += len(head)
                if size > MAX_LINE:
                    raise Unavailable("a watch event is too large", remedy="Migratable retries.")
                for piece in rest:
                    if line := b"".join(pieces):
                        yield line
                    pieces, size = [piece], len(piece)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _broken(error) from error
        if any(pieces):
            raise Unavailable("the stream ended within an event", remedy="Migratable retries.")


def _broken(error: Exception) -> Unavailable:
    """Returns an error without the text of ``error``, because that text can contain addresses and proxy credentials."""
    return Unavailable(f"no response from the API server ({_cause(error)})", remedy="Migratable retries.")


def _cause(error: Exception) -> str:
    """Returns the first known cause in the chain of errors, or the type of the outermost error."""
    chain: list[BaseException] = []
    below: BaseException | None = error
    while below is not None and below not in chain:
        chain.append(below)
        reason = getattr(below, "reason", None)
        below = reason if isinstance(reason, BaseException) else below.__cause__ or below.__context__
    for kind, words in _CAUSES:
        if any(isinstance(link, kind) for link in chain):
            return words
    return type(error).__name__
