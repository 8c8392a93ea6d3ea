"""
Program of the pods of `helm test`: `admission | refusal | api | metrics NAMESPACE CA` sends a request to a Service.

Exits with 0 if the response is correct. Otherwise it prints one line with the error. The requests store nothing.
"""

import json
import ssl
import sys
import urllib.error
import urllib.request

SECONDS = 10
DEVICES = {"hostDevices": [{"name": "probe", "deviceName": "example.com/probe"}]}
REVIEW = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "helm-test",
        "kind": {"group": "kubevirt.io", "version": "v1", "kind": "VirtualMachineInstance"},
        "resource": {"group": "kubevirt.io", "version": "v1", "resource": "virtualmachineinstances"},
        "requestKind": {"group": "kubevirt.io", "version": "v1", "kind": "VirtualMachineInstance"},
        "name": "probe",
        "namespace": "default",
        "operation": "CREATE",
        "userInfo": {"username": "helm-test"},
        "object": {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": {"name": "probe", "namespace": "default"},
            "spec": {"domain": {"devices": DEVICES}},
        },
        "dryRun": True,
    },
}


def call(url, ca, body=None):
    """The text of the response."""
    trusted = ssl.create_default_context(cafile=ca) if ca else None
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
    with opener.open(request, timeout=SECONDS) as response:
        return response.read().decode()


def admission(namespace, ca):
    """Sends an AdmissionReview over TLS to the host name that API servers use. An internal error fails the test."""
    response = json.loads(call(f"https://migratable.{namespace}.svc/validate?timeout=5s", ca, REVIEW))["response"]
    assert response["uid"] == "helm-test", f"the response has UID {response['uid']!r} instead of 'helm-test'"
    assert "internal" not in response.get("auditAnnotations", {}), "the server reported an internal error; see its log"
    verdict = "admitted" if response["allowed"] else "denied"
    return f"a VMI with a host device is {verdict}"


def refusal(namespace, ca):
    """A server with a trusted certificate closes connections without a client certificate. Other errors fail the test."""
    try:
        admission(namespace, ca)
    except OSError as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        assert isinstance(cause, (ssl.SSLError, ConnectionError)), f"failed: {cause}"
        assert not isinstance(cause, (ssl.SSLCertVerificationError, ConnectionRefusedError)), f"failed: {cause}"
        return f"a request without a client certificate is refused: {error}"
    raise AssertionError("the server responded to a request without a client certificate")


def api(namespace, ca):
    """The dry-run API returns its rules."""
    rules = json.loads(call(f"https://migratable-api.{namespace}.svc/v1/rules", ca))
    assert rules, "the list of rules is empty"
    return f"{len(rules)} rules"


def metrics(namespace, _ca):
    """A replica is ready and serves metrics."""
    address = f"http://migratable-replicas.{namespace}.svc:8080"
    assert call(f"{address}/readyz", None) == "ok\n", "a replica is not ready"
    text = call(f"{address}/metrics", None)
    assert "migratable_certificate_not_after_seconds" in text, "the metrics of Migratable are missing"
    return f"{len(text.splitlines())} lines of metrics"


if __name__ == "__main__":
    run = {test.__name__: test for test in (admission, refusal, api, metrics)}[sys.argv[1]]
    try:
        print(run(*sys.argv[2:]))
    except (AssertionError, OSError, LookupError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
