"""I15 to I18 of the nasty inputs: sizes, framing and silent clients."""

import threading
import time
from pathlib import Path
from typing import Any

from tests.nasty.door import Doorway, secretive
from tests.nasty.test_door import AT_SPEC, MIB
from tests.serve.wire import Wire, post
from tests.surfaces.admission.reviews import on_claim, review
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.surfaces.admission.http import MAX_BODY


def test_i15_a_body_above_the_limit_gets_413(door: Doorway) -> None:
    """
    I15: a length above 8 MiB gets a 413 before the body arrives, chunks without a length once they exceed it. 200 MiB of
    either, and of headers, need less than 16 MiB of memory.
    """
    door.review(review("CREATE", secretive()))
    before = door.resident_mib

    with Wire(door.server.admission_port, door.trust) as announced:
        announced.send(b"POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (200 * MIB))
        told = announced.answer()
    chunk = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    with Wire(door.server.admission_port, door.trust) as chunks:
        chunks.send(b"POST /validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(200):
            chunks.send(chunk)
        endless = chunks.rest()
    with Wire(door.server.admission_port, door.trust) as headers:
        headers.send(b"POST /validate HTTP/1.1\r\nhost: x\r\n")
        for number in range(200):
            headers.send(b"x%d: " % number + b"a" * MIB + b"\r\n")
        long = headers.rest()

    assert (told.status, told.headers["connection"]) == (413, "close")
    assert not endless or endless.startswith(b"HTTP/1.1 413 ")
    assert not long or long.startswith(b"HTTP/1.1 431 ")
    assert door.resident_mib - before < MAX_BODY / MIB + 16


def test_i15_a_review_just_below_the_limit_gets_a_response(door: Doorway) -> None:
    """
    I15: an object and its old version nearly fill the limit.
    """
    large = secretive()
    large["metadata"]["annotations"]["example.org/large"] = "a" * (MAX_BODY // 2 - 4096)
    body = review("UPDATE", large, large)
    assert 0 < MAX_BODY - len(body) < 16384
    began = cpu_seconds(door)

    response = door.review(body)

    print(f"the largest review: {cpu_seconds(door) - began:.2f} s of CPU")
    assert response.warnings == []


def cpu_seconds(door: Doorway) -> float:
    """The CPU time of the server so far."""
    fields = Path(f"/proc/{door.server.popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_i16_two_requests_in_one_are_refused(door: Doorway) -> None:
    """
    I16: two lengths, a length beside chunks, a bare line feed and a second request before the answer are answered 400; the
    review behind them is never judged.
    """
    behind = post("/validate", review("CREATE", secretive(volumes=[on_claim("single")])))
    head = b"POST /validate HTTP/1.1\r\nhost: x\r\n"
    judged = 'migratable_reviews_total{door="validate",kind="VirtualMachine",operation="CREATE",outcome="denied"}'
    before = door.counted(judged)

    for smuggled in (
        head + b"content-length: 0\r\ncontent-length: 5\r\n\r\n",
        head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"x: y\ncontent-length: 0\r\n\r\n",
        post("/validate", b"{}"),
    ):
        with Wire(door.server.admission_port, door.trust) as wire:
            assert wire.send(smuggled, behind).answer().status == 400
            wire.rest()

    assert door.counted(judged) == before


def test_i17_silent_clients_are_disconnected_while_others_get_responses(door: Doorway) -> None:
    """
    I17: the server disconnects clients with an endless hello, or with one byte every two seconds.
    """
    ended: dict[str, float] = {}
    body = post("/validate", review("CREATE", secretive()))

    def hello() -> None:
        with Wire(door.server.admission_port) as wire:
            wire.send(b"\x16\x03\x01")
            wire.rest()

    def drip(size: int) -> None:
        with Wire(door.server.admission_port, door.trust) as wire:
            wire.send(body[:size])
            wire.socket.settimeout(2)
            for byte in body[size:]:
                wire.send(bytes([byte]))
                try:
                    if not wire.socket.recv(1):
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return

    def timed(name: str, what: Any, *arguments: Any) -> None:
        began = time.monotonic()
        what(*arguments)
        ended[name] = time.monotonic() - began

    slow = [
        threading.Thread(target=timed, args=("hello", hello), daemon=True),
        threading.Thread(target=timed, args=("headers", drip, 10), daemon=True),
        threading.Thread(target=timed, args=("body", drip, len(body) - 1000), daemon=True),
    ]
    for client in slow:
        client.start()
    responses = []

    def all_disconnected() -> bool:
        responses.append(door.review(review("CREATE", secretive())))
        return not any(client.is_alive() for client in slow)

    wait_until(all_disconnected, PATIENCE_SECONDS, "the server to disconnect all silent clients")

    print(", ".join(f"{name} disconnected after {seconds:.1f} s" for name, seconds in ended.items()))
    assert sorted(ended) == ["body", "headers", "hello"]
    assert [name for name in ended if name != "hello"] == ["headers", "body"]  # in the order in which they ended
    assert all(response.warnings == [] for response in responses)


def test_i18_ten_thousand_violations_fit_into_one_response(door: Doorway) -> None:
    """
    I18: the message for ten thousand violations has at most 4,096 characters. The causes are the first ten and the number of
    the others, and both responses are the same.
    """
    volumes = [on_claim("single", f"disk{number}") for number in range(10_000)]
    body = review("CREATE", secretive(volumes=volumes))
    began = cpu_seconds(door)

    first = door.review(body)
    worked = cpu_seconds(door) - began
    second = door.review(body)

    causes = first.response["status"]["details"]["causes"]
    assert [cause["field"] for cause in causes[:-1]] == [f"{AT_SPEC}.volumes[{number}]" for number in range(10)]
    assert causes[-1]["message"] == "9990 more problems are not shown"
    assert len(first.response["status"]["message"]) <= 4096
    assert first.body == second.body
    print(f"ten thousand violations: {worked:.2f} s of CPU")
