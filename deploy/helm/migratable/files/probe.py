"""
`helm test` runs this in a pod: `admission | refusal | api | metrics NAMESPACE CA` calls a Service as its clients do.

Exits with 0 if the response is right, otherwise with one line that names the problem. The calls store nothing.
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
    """The text of an answer."""
    trusted = ssl.create_default_context(cafile=ca) if ca else None
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
    with opener.open(request, timeout=SECONDS) as answer:
        return answer.read().decode()


def admission(namespace, ca):
    """A review is answered over TLS, for the name that API servers call, by the engine and not by its last wall."""
    answer = json.loads(call(f"https://migratable.{namespace}.svc/validate?timeout=5s", ca, REVIEW))
    response = answer["response"]
    assert response["uid"] == "helm-test", f"the answer is for {response['uid']}"
    assert "internal" not in response.get("auditAnnotations", {}), "the server could not judge a machine"
    said = "refused" if not response["allowed"] else "let pass"
    return f"a machine with a host device is {said}"


def refusal(namespace, ca):
    """The server must show a valid certificate, and close a connection without a client certificate."""
    try:
        admission(namespace, ca)
    except OSError as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        assert isinstance(cause, (ssl.SSLError, ConnectionError)), f"failed: {cause}"
        assert not isinstance(cause, (ssl.SSLCertVerificationError, ConnectionRefusedError)), f"failed: {cause}"
        return f"without a certificate there is no answer: {error}"
    raise AssertionError("a caller without a certificate was answered")


def api(namespace, ca):
    """The dry-run API answers."""
    rules = json.loads(call(f"https://migratable-api.{namespace}.svc/v1/rules", ca))
    assert rules, "there is no rule"
    return f"{len(rules)} rules"


def metrics(namespace, _ca):
    """A replica is ready, and can be scraped."""
    where = f"http://migratable-replicas.{namespace}.svc:8080"
    assert call(f"{where}/readyz", None) == "ok\n", "a replica is not ready"
    found = call(f"{where}/metrics", None)
    assert "migratable_certificate_not_after_seconds" in found, "metrics of ours are missing"
    return f"{len(found.splitlines())} lines of metrics"


if __name__ == "__main__":
    which = {each.__name__: each for each in (admission, refusal, api, metrics)}[sys.argv[1]]
    try:
        print(which(*sys.argv[2:]))
    except (AssertionError, OSError, LookupError, ValueError) as wrong:
        sys.exit(f"{sys.argv[1]}: {wrong}")
