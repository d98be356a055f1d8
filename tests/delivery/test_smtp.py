"""The conversation with a real server double: each phase keeps its own mark."""

import socket
import ssl
import subprocess
import threading
import time

import pytest

from nps.delivery.letters import Letter, LineFailed, Settled, UnsafeAddress
from nps.delivery.rules import MessageState, Phase, decide
from nps.delivery.transports.smtp import Limits, Server, SmtpCourier, as_content
from tests.doubles.smtp_sink import SmtpSink

BODY = b"Subject: x\r\nMessage-ID: <%d@t.example>\r\n\r\nHello\r\n.dot line\r\n..two\r\n"
LIMITS = Limits().divided(300)  # five minutes become one second, the final dot two


def letter(number: int, to: str) -> Letter:
    return Letter(number, f"bounce+{number}@b.example", to, BODY % number)


def send(port: int, recipients: list[str], *, lines: int = 4, limits: Limits = LIMITS, seconds: float = 20, **server: object):
    """Hand all letters over as room appears; returns results by number and failed lines."""
    courier = SmtpCourier(Server("127.0.0.1", port, **server), limits, lines)
    todo = [letter(number, to) for number, to in enumerate(recipients)]
    results: dict[int, Settled] = {}
    failed: list[LineFailed] = []
    ends = time.monotonic() + seconds
    try:
        while len(results) < len(recipients):
            assert time.monotonic() < ends, f"only {len(results)} of {len(recipients)} settled"
            courier.want(len(todo))
            while todo and courier.room():
                courier.submit(todo.pop(0))
            for event in courier.poll(0.05):
                if isinstance(event, Settled):
                    assert event.letter.key not in results
                    results[event.letter.key] = event  # type: ignore[index]
                else:
                    failed.append(event)
                    if len(failed) >= 2 * lines:
                        return results, failed
    finally:
        courier.close()
    return results, failed


def state_of(settled: Settled) -> MessageState:
    return decide(settled.reply).state


@pytest.mark.parametrize("pipelining", [True, False])
def test_many_letters_arrive_once_each_and_unchanged(pipelining):
    with SmtpSink(pipelining=pipelining) as sink:
        results, failed = send(sink.port, [f"p{n}@x.example" for n in range(300)], lines=5)
        assert not failed
        assert {state_of(result) for result in results.values()} == {MessageState.SENT}
        assert sorted(sink.recipients()) == sorted(f"p{n}@x.example" for n in range(300))
        assert sink.connections == 5
        assert {row["from"] for row in sink.rows()} == {f"bounce+{n}@b.example" for n in range(300)}
        assert sorted(sink.messages) == sorted(BODY % n for n in range(300))


SCRIPTS = [
    ("451", Phase.RCPT, 451, MessageState.DEFERRED),
    ("421-at-rcpt", Phase.RCPT, 421, MessageState.DEFERRED),
    ("550-5.1.1", Phase.RCPT, 550, MessageState.FAILED),
    ("550-5.7.1-policy", Phase.RCPT, 550, MessageState.FAILED),
    ("552", Phase.RCPT, 552, MessageState.DEFERRED),
    ("451-at-data", Phase.DATA, 451, MessageState.DEFERRED),
    ("554-at-data", Phase.DATA, 554, MessageState.FAILED),
    ("451-at-dot", Phase.DOT, 451, MessageState.DEFERRED),
    ("554-5.7.1-at-dot-spam", Phase.DOT, 554, MessageState.FAILED),
    ("drop-at-rcpt", Phase.RCPT, 0, MessageState.DEFERRED),
    ("drop-at-data", Phase.DATA, 0, MessageState.DEFERRED),
    ("drop-after-dot", Phase.DOT, 0, MessageState.UNKNOWN),
    ("silent", Phase.RCPT, 0, MessageState.DEFERRED),
    ("silent-at-data", Phase.DATA, 0, MessageState.DEFERRED),
    ("silent-after-dot", Phase.DOT, 0, MessageState.UNKNOWN),
]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("script", "phase", "code", "state"), SCRIPTS)
def test_a_scripted_reply_ends_one_letter_and_no_other(script, phase, code, state, pipelining):
    with SmtpSink(pipelining=pipelining) as sink:
        people = [f"a{n}@x.example" for n in range(6)]
        people[2] = f"x+{script}@x.example"
        results, failed = send(sink.port, people, lines=1)
        assert not failed
        odd = results.pop(2)
        if not pipelining and script.startswith("drop-at"):
            # without pipelining the phases are the same; the mark is where the answer was missing
            phase = Phase.RCPT if script == "drop-at-rcpt" else Phase.DATA
        assert (odd.reply.phase, odd.reply.code, state_of(odd)) == (phase, code, state)
        assert {state_of(result) for result in results.values()} == {MessageState.SENT}
        taken = sink.recipients()
        assert all(taken.count(person) == 1 for n, person in enumerate(people) if n != 2)
        assert taken.count(people[2]) == (1 if state is MessageState.UNKNOWN else 0)


@pytest.mark.parametrize("script", ["drop-after-354", "drop-in-body"])
def test_a_connection_cut_in_the_content_is_no_unknown_when_the_dot_never_left(script):
    """A large letter: the server closes while most of it is still on this side."""
    with SmtpSink() as sink:
        courier = SmtpCourier(Server("127.0.0.1", sink.port), LIMITS, 1)
        big = Letter(1, "b@b.example", f"x+{script}@x.example", b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 2_000_000)
        settled = []
        ends = time.monotonic() + 15
        while not settled and time.monotonic() < ends:
            courier.want(1)
            if courier.room() and not courier.busy:
                courier.submit(big)
            settled += [event for event in courier.poll(0.05) if isinstance(event, Settled)]
        courier.close()
        assert settled[0].reply.phase is Phase.BODY
        assert state_of(settled[0]) is MessageState.DEFERRED
        assert not sink.rows()


@pytest.mark.parametrize(
    ("given", "phase", "code"),
    [
        ({"greeting": "554 5.7.1 no"}, Phase.GREETING, 554),
        ({"greeting": "drop"}, Phase.GREETING, 0),
        ({"greeting": "silent"}, Phase.GREETING, 0),
        ({"greeting": "HTTP/1.1 400 Bad Request"}, Phase.GREETING, 0),
        ({"ehlo": "421 4.3.2 busy"}, Phase.EHLO, 421),
        ({"ehlo": "drop"}, Phase.EHLO, 0),
        ({"ehlo": "silent"}, Phase.EHLO, 0),
    ],
)
def test_a_server_that_is_not_ready_fails_the_line_and_no_letter(given, phase, code):
    with SmtpSink(**given) as sink:
        results, failed = send(sink.port, ["a@x.example"], lines=1)
        assert not results
        assert (failed[0].reply.phase, failed[0].reply.code) == (phase, code)


def test_nobody_listening_fails_the_line():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    results, failed = send(port, ["a@x.example"], lines=1)
    assert not results
    assert failed[0].reply.phase is Phase.CONNECT


def test_a_wrong_password_fails_the_line_with_its_code_and_a_right_one_sends():
    with SmtpSink(login=("me", "secret")) as sink:
        _, failed = send(sink.port, ["a@x.example"], lines=1, user="me", password="wrong")
        assert (failed[0].reply.phase, failed[0].reply.code) == (Phase.AUTH, 535)
        results, _ = send(sink.port, ["a@x.example"], lines=1, user="me", password="secret")
        assert state_of(results[0]) is MessageState.SENT


def test_a_refused_sender_is_told_apart():
    with SmtpSink(mail="550 5.7.1 not you") as sink:
        results, _ = send(sink.port, ["a@x.example", "b@x.example"], lines=1)
        assert {(r.reply.phase, r.reply.code) for r in results.values()} == {(Phase.MAIL, 550)}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


def test_tls_is_used_where_offered_and_a_wrong_certificate_is_never_waived(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with SmtpSink(tls=context, login=("me", "secret")) as sink:
        results, failed = send(
            sink.port, [f"a{n}@x.example" for n in range(50)], lines=2, user="me", password="secret", ca_file=str(certificate / "cert.pem")
        )
        assert not failed
        assert {state_of(r) for r in results.values()} == {MessageState.SENT}
        results, failed = send(sink.port, ["a@x.example"], lines=1, user="me", password="secret")
        assert not results
        assert failed[0].reply.phase is Phase.STARTTLS
        assert "certificate" in failed[0].reply.text.lower()
        assert sink.taken == 50


def test_a_password_is_not_sent_in_the_clear_to_another_machine(monkeypatch):
    with SmtpSink(login=("me", "secret")) as sink:
        monkeypatch.setattr(Server, "on_this_machine", property(lambda self: False))
        results, failed = send(sink.port, ["a@x.example"], lines=1, user="me", password="secret")
        assert not results
        assert failed[0].reply.phase is Phase.STARTTLS
        assert not [command for command in sink.commands if command.startswith("AUTH")]
        results, failed = send(sink.port, ["a@x.example"], lines=1, tls_required=True)
        assert not results
        assert failed[0].reply.phase is Phase.STARTTLS


def test_a_server_that_takes_few_mails_a_connection_loses_and_doubles_none():
    with SmtpSink(max_mails_per_line=3) as sink:
        results, _ = send(sink.port, [f"p{n}@x.example" for n in range(40)], lines=2)
        assert {state_of(r) for r in results.values()} == {MessageState.SENT}
        assert sorted(sink.recipients()) == sorted(f"p{n}@x.example" for n in range(40))


def test_one_slow_connection_holds_up_no_other():
    with SmtpSink(slow=0.6) as sink:
        began = time.monotonic()
        people = ["x+slow@x.example", *(f"p{n}@x.example" for n in range(200))]
        results, _ = send(sink.port, people, lines=4, limits=Limits())
        assert {state_of(r) for r in results.values()} == {MessageState.SENT}
        assert time.monotonic() - began < 6


def test_a_connection_that_went_stale_while_idle_is_replaced_without_a_loss():
    """The first connection serves one letter and then dies quietly."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    taken: list[str] = []

    def serve() -> None:
        for mails in (1, 1):
            sock, _ = listener.accept()
            file = sock.makefile("rwb")
            file.write(b"220 hi\r\n")
            file.flush()
            done = 0
            while True:
                line = file.readline()
                verb = line[:4].upper()
                if not line or verb == b"QUIT":
                    break
                if verb == b"RCPT":
                    taken.append(line.decode())
                if verb == b"MAIL" and done == mails:
                    break
                if verb == b"DATA":
                    file.write(b"354 go\r\n")
                    file.flush()
                    while file.readline() != b".\r\n":
                        pass
                    done += 1
                file.write(b"250 ok\r\n")
                file.flush()
            file.close()
            sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    results, _ = send(port, ["a@x.example", "b@x.example"], lines=1)
    thread.join(5)
    listener.close()
    assert {state_of(r) for r in results.values()} == {MessageState.SENT}
    assert len(taken) == 2


def test_abandoned_letters_are_settled_by_their_phase():
    with SmtpSink() as sink:
        courier = SmtpCourier(Server("127.0.0.1", sink.port), Limits(), 2)
        people = ["x+silent@x.example", "x+silent-after-dot@x.example"]
        todo = [letter(n, to) for n, to in enumerate(people)]
        ends = time.monotonic() + 5
        while time.monotonic() < ends and (todo or not sink.taken):
            courier.want(2)
            while todo and courier.room():
                courier.submit(todo.pop())
            courier.poll(0.02)
        time.sleep(0.05)
        courier.poll(0)
        gone = {event.letter.key: state_of(event) for event in courier.abandon()}
        courier.close()
        assert gone == {0: MessageState.DEFERRED, 1: MessageState.UNKNOWN}


@pytest.mark.parametrize(
    "address", ["a@x.example\r\nRCPT TO:<e@e.example>", "a b@x.example", "<a@x.example>", "a@é.example", "a", "a>@x.example", ""]
)
def test_an_address_that_could_write_a_command_never_reaches_the_wire(address):
    with pytest.raises(UnsafeAddress):
        Letter(1, "b@b.example", address, b"")
    with pytest.raises(UnsafeAddress):
        Letter(1, address, "b@b.example", b"")


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        (b"", b"\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\n.\nb\r.\rc", b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n"),
        (b"a\r\r\n\n", b"a\r\n\r\n\r\n.\r\n"),
    ],
)
def test_content_has_one_end(given, wire):
    assert as_content(given) == wire
    assert wire.count(b"\r\n.\r\n") == 1 or given == b""


def test_urls_of_servers():
    assert Server.from_url("smtp://u%40x:p%3A@mail.example") == Server("mail.example", 587, "u@x", "p:")
    assert Server.from_url("smtps://mail.example").port == 465
    assert Server.from_url("smtp://mail.example:2525").port == 2525
    assert Server.from_url("smtp://mail.example?tls=required").tls_required
    for bad in ("http://x", "smtp://", "mail.example"):
        with pytest.raises(ValueError, match="smtp://"):
            Server.from_url(bad)


@pytest.mark.parametrize("first", ["x+silent-after-dot@x.example", "x+slow@x.example"])
def test_a_letter_behind_one_that_is_not_answered_goes_another_way_once(first):
    """Its envelope may have been written already; its content never was, and never will be on that connection."""
    with SmtpSink(slow=3) as sink:
        courier = SmtpCourier(Server("127.0.0.1", sink.port), Limits(), 2)
        settled: dict[int, Settled] = {}
        todo = [letter(0, first), letter(1, "b@x.example")]
        began = time.monotonic()
        while time.monotonic() - began < 15 and not (1 in settled and (0 in settled or "silent" in first)):
            courier.want(1 if todo else 2)
            if todo and courier.room():
                courier.submit(todo.pop(0))
            for event in courier.poll(0.05):
                assert isinstance(event, Settled)
                assert event.letter.key not in settled
                settled[event.letter.key] = event
        assert state_of(settled[1]) is MessageState.SENT
        end = time.monotonic() + 4
        while time.monotonic() < end and "slow" in first:
            assert not courier.poll(0.05)
        courier.close()
        assert sink.recipients().count("b@x.example") == 1
        assert all(b"Hello" in data for data in sink.messages)
