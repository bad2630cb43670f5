"""OAuth: a refresh token can be used once, so no pair is ever lost, and none is asked for twice."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import requests
from typing_extensions import override

from calendly_api import CALENDLY
from commands import run_tap
from harness import Runner, VirtualClock
from sandbox.calendly.keys import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tap_calendly import oauth as of_tap
from tap_calendly.oauth import OAuth
from tap_calendly.tap import TapCalendly
from tap_calendly.tokens import TokenFile
from tap_common.errors import AccessError, SettingsError, TapError
from tap_common.http.clock import Clock, StoppedError
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import Sandbox

    Behaviour = Callable[["Handler"], None]

SECRET = re.compile(r"(access|refresh|consent|hush)-[0-9a-f]{4}|sandbox-(refresh|client-secret)|(Bearer|Basic) \w")
AGAIN = "authorize the application again and set the new `refresh_token`"
PROCESS = """
import json, requests
from tap_calendly.oauth import OAuth
from tap_common.http.clock import Clock
oauth = OAuth(json.loads(input()), clock=Clock())
print("ready", flush=True)
print(oauth(requests.Request("GET", "http://127.0.0.1").prepare()).headers["Authorization"])
"""


# A token endpoint that answers as it is told


@dataclass
class Endpoint:
    """Answers with a new pair each time, or as `script` says; `received` holds the refresh tokens that it was sent."""

    url: str = ""
    script: list[Behaviour] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    proofs: list[str | None] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    endpoint: Endpoint


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        endpoint = self.server.endpoint
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert form["grant_type"] == ["refresh_token"]
        endpoint.received += form["refresh_token"]
        endpoint.proofs.append(self.headers["Authorization"])
        endpoint.arrived.set()
        (endpoint.script.pop(0) if endpoint.script else good)(self)

    def answer(self, status: int, body: bytes = b"", promised: int | None = None, **headers: str) -> None:
        """Send a body, of fewer bytes than promised where that is asked for."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def good(handler: Handler) -> None:
    number = len(handler.server.endpoint.received)
    pair = {"access_token": f"access-{number:04}", "refresh_token": f"refresh-{number:04}", "expires_in": 7200}
    handler.answer(200, json.dumps(pair).encode())


def answers(status: int, body: bytes = b"", promised: int | None = None, **headers: str) -> Behaviour:
    return lambda handler: handler.answer(status, body, promised, **headers)


def hangs_up(_: Handler) -> None:
    """Close the connection when the request has been read."""


def never_answers(handler: Handler) -> None:
    handler.server.endpoint.let_go.wait()


def answers_late(handler: Handler) -> None:
    handler.server.endpoint.let_go.wait()
    good(handler)


@contextmanager
def serving(server: Server) -> Iterator[Endpoint]:
    """While the block lasts."""
    endpoint = server.endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Server(("127.0.0.1", 0), Handler)) as endpoint:
        yield endpoint


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"


# One tap's access, run after run


@dataclass
class Credential:
    """Runs that share settings, a clock and a token file; each `OAuth` is a new run."""

    settings: dict[str, Any]
    clock: VirtualClock
    time: float = 1_800_000_000.0

    @property
    def file(self) -> Path:
        return Path(self.settings["token_file"])

    @property
    def kept(self) -> list[dict[str, Any]]:
        """The pairs in the file."""
        return list(json.loads(self.file.read_text()).values())

    def run(self, **changes: Any) -> OAuth:
        return OAuth(self.settings | changes, clock=self.clock, now=lambda: self.time)

    def failure(self, oauth: OAuth, kind: type[TapError] = AccessError) -> str:
        """The one sentence that a request fails with."""
        with pytest.raises(kind) as caught:
            token(oauth)
        assert type(caught.value) is kind
        assert not SECRET.search("".join(traceback.format_exception(caught.value)))
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return sentence


def request() -> requests.PreparedRequest:
    return requests.Request("GET", "http://127.0.0.1").prepare()


def token(oauth: OAuth) -> str:
    return oauth(request()).headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def access(endpoint: Endpoint, clock: VirtualClock, tmp_path: Path) -> Credential:
    settings = {
        "client_id": "client",
        "client_secret": "hush-77aa",
        "refresh_token": "consent-3f9a",
        "token_file": str(tmp_path / "state" / "tokens.json"),
        "oauth_url": f"{endpoint.url}/oauth/token",
        "request_timeout": 5,
    }
    return Credential(settings, clock)


@pytest.fixture
def runner(sandbox: Sandbox, clock: VirtualClock, tmp_path: Path) -> Runner:
    """Syncs by OAuth."""
    config = {
        "api_url": sandbox.calendly.api_url,
        "oauth_url": f"{sandbox.calendly.api_url}/oauth/token",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "token_file": str(tmp_path / "tokens.json"),
    }
    return Runner(TapCalendly, config, clock)


def refreshes(sandbox: Sandbox) -> int:
    return sum(requested.path == "/oauth/token" for requested in sandbox.requests)


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Set the umask, so that file modes do not depend on the environment."""
    usual = os.umask(0o022)
    yield
    os.umask(usual)


@pytest.fixture(autouse=True)
def _nothing_private_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """At any level, in any of these tests."""
    with caplog.at_level("DEBUG"):
        yield
    assert not [record.getMessage() for record in caplog.get_records("call") if SECRET.search(record.getMessage())]


# A sync


def test_a_sync_by_oauth_equals_the_truth(runner: Runner, sandbox: Sandbox) -> None:
    runner.sync()

    Judge(CALENDLY, sandbox).check(runner)
    assert {requested.key for requested in sandbox.requests if requested.method == "GET"} == {"sandbox-oauth"}
    assert refreshes(sandbox) == 1


def test_the_pair_is_in_the_file_before_the_first_request_to_the_api(
    runner: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, set[str]]] = []

    class Watched(list[Any]):
        @override
        def append(self, requested: Any) -> None:
            found.append((requested.path, set(json.loads(Path(runner.config["token_file"]).read_text()).popitem()[1])))
            super().append(requested)

    monkeypatch.setattr(sandbox, "requests", Watched())
    runner.sync()

    assert found[:2] == [
        ("/oauth/token", {"refresh_token", "refreshing"}),
        ("/users/me", {"refresh_token", "access_token", "good_until"}),
    ]


def test_the_next_sync_uses_the_file_and_not_the_setting(runner: Runner, sandbox: Sandbox) -> None:
    runner.sync()
    runner.sync()
    sandbox.advance(hours=3)  # the file's access token is refused, though by this machine's clock it should not be
    runner.sync()

    Judge(CALENDLY, sandbox).check(runner)
    assert refreshes(sandbox) == 2


def test_a_token_that_expires_in_the_middle_of_a_sync_is_renewed_and_the_sync_goes_on(
    runner: Runner, sandbox: Sandbox
) -> None:
    runner.sync(after=40, then=lambda: sandbox.advance(hours=3))

    assert 401 in {requested.status for requested in sandbox.requests}
    assert refreshes(sandbox) == 2
    assert set(CALENDLY.default_streams()) == runner.warehouse.rows.keys()
    runner.sync()
    Judge(CALENDLY, sandbox).check(runner)


@pytest.mark.parametrize("fault", ["500", "reset", "truncated", "html", "empty-json"])
def test_a_renewal_that_goes_wrong_in_the_middle_of_a_sync_ends_it_and_is_not_repeated(
    runner: Runner, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.script("/oauth/token", ["ok", fault])

    with pytest.raises(AccessError, match=AGAIN):
        runner.sync(after=40, then=lambda: sandbox.advance(hours=3))
    with pytest.raises(AccessError, match=AGAIN):
        runner.sync()

    assert refreshes(sandbox) == 2


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"api_key": "a"}, "`api_key` and `refresh_token`"),
        ({"auth_token": "a"}, "`auth_token` and `refresh_token`"),
        ({"api_key": "a", "auth_token": "b", "refresh_token": ""}, "`auth_token` and `api_key`"),
    ],
)
def test_between_different_credentials_nothing_is_chosen(
    runner: Runner, sandbox: Sandbox, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingsError, match=f"{named} have different credentials"):
        runner.sync(**given)
    assert sandbox.requests == []
    assert not Path(runner.config["token_file"]).exists()


def test_the_same_token_may_stand_under_both_names_and_a_client_id_alone_is_no_credential(
    runner: Runner, sandbox: Sandbox
) -> None:
    runner.select = lambda name, _default: name == "api_user"
    runner.sync(api_key=CALENDLY.key, auth_token=CALENDLY.key, refresh_token="")

    assert {requested.key for requested in sandbox.requests} == {CALENDLY.key}


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        (["client_secret"], "setting `client_secret` too"),
        (["token_file", "client_id"], "settings `client_id`, `token_file` too"),
        (["refresh_token", "token_file"], "settings `refresh_token`, `token_file` too"),
    ],
)
def test_settings_that_oauth_lacks_are_named(runner: Runner, sandbox: Sandbox, absent: list[str], named: str) -> None:
    runner.config = {name: value for name, value in runner.config.items() if name not in absent}

    with pytest.raises(SettingsError, match=named):
        runner.sync()
    assert sandbox.requests == []


# When a token is renewed


def test_the_client_proves_itself_by_basic_authentication(access: Credential, endpoint: Endpoint) -> None:
    token(access.run(client_secret="hush-ö"))  # noqa: S106 - a test's

    assert endpoint.proofs == ["Basic Y2xpZW50Omh1c2gtw7Y="]


def test_a_token_is_used_until_two_minutes_before_its_end(access: Credential, endpoint: Endpoint) -> None:
    oauth = access.run()
    assert token(oauth) == "access-0001"
    access.time += 7200 - 121
    assert (token(oauth), token(access.run())) == ("access-0001", "access-0001")
    access.time += 1

    assert (token(oauth), token(access.run())) == ("access-0002", "access-0002")
    assert endpoint.received == ["consent-3f9a", "refresh-0001"]


def test_eight_threads_whose_token_is_refused_renew_it_once(access: Credential, endpoint: Endpoint) -> None:
    oauth, together = access.run(), threading.Barrier(8)
    refused = [oauth(request()) for _ in range(8)]

    def again(sent: requests.PreparedRequest) -> str:
        together.wait()
        oauth.refused(sent)
        return token(oauth)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(again, refused)) == {"access-0002"}
    assert len(endpoint.received) == 2


def test_runs_that_share_a_file_renew_once_between_them(access: Credential, endpoint: Endpoint) -> None:
    runs, together = [access.run() for _ in range(4)], threading.Barrier(4)

    def first(oauth: OAuth) -> str:
        together.wait()
        return token(oauth)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(first, runs)) == {"access-0001"}
    sent = [oauth(request()) for oauth in runs]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(OAuth.refused, runs, sent))

    assert {token(oauth) for oauth in runs} == {"access-0002"}
    assert len(endpoint.received) == 2


# A token that is refused though it is new


def unauthorized(sandbox: Sandbox, path: str = "") -> None:
    """Have the API refuse every token from now on."""
    sandbox.faults.script(rf"/calendly/(?!oauth){path}", ["401"] * 100)


STILL = "just issued.*access was revoked.*another environment.*`api_url` is not Calendly's"


@pytest.mark.parametrize("kept", [False, True], ids=["first run", "token in the file"])
def test_a_new_token_that_is_refused_ends_the_run_after_one_refresh(
    runner: Runner, sandbox: Sandbox, *, kept: bool
) -> None:
    if kept:
        runner.sync()
    before = refreshes(sandbox)
    unauthorized(sandbox)

    with pytest.raises(AccessError, match=STILL):
        runner.sync()

    assert refreshes(sandbox) == before + 1


@pytest.mark.parametrize("path", ["", "contacts", "activity_log_entries"])
def test_a_run_whose_tokens_are_refused_from_the_middle_on_ends_after_one_more_refresh(
    runner: Runner, sandbox: Sandbox, path: str
) -> None:
    runner.config |= {"concurrency": 8}

    with pytest.raises(AccessError, match=STILL):
        runner.sync(after=40, then=lambda: unauthorized(sandbox, path))

    assert refreshes(sandbox) <= 3
    if not path:
        assert refreshes(sandbox) == 2


def test_a_token_that_another_run_has_just_renewed_is_refused_without_a_refresh(
    access: Credential, endpoint: Endpoint
) -> None:
    one, other = access.run(), access.run()
    old = [each(request()) for each in (one, other)]
    for each, sent in zip((one, other), old, strict=True):
        each.accepted(sent)
        each.refused(sent)
    for each in (one, other):
        new = each(request())
        with pytest.raises(AccessError, match=STILL):
            each.refused(new)
        assert "just issued" in access.failure(each)

    assert len(endpoint.received) == 2


def test_a_token_that_was_accepted_before_it_was_refused_is_renewed_as_often_as_need_be(
    access: Credential, endpoint: Endpoint
) -> None:
    oauth = access.run()
    for _ in range(5):
        sent = oauth(request())
        oauth.accepted(sent)
        oauth.refused(sent)

    assert token(oauth) == "access-0006"
    assert len(endpoint.received) == 6


def test_a_request_that_is_refused_with_two_tokens_is_not_sent_with_a_third(
    access: Credential, endpoint: Endpoint
) -> None:
    oauth, sent = access.run(), request()
    oauth.refused(oauth(sent))
    oauth.accepted(oauth(request()))
    with pytest.raises(AccessError, match=STILL):
        oauth.refused(oauth(sent))

    assert len(endpoint.received) == 2


def test_an_endpoint_that_answers_with_the_token_that_was_refused_ends_the_run(
    access: Credential, endpoint: Endpoint
) -> None:
    same = b'{"access_token": "access-0001", "refresh_token": "refresh-0001", "expires_in": 7200}'
    endpoint.script = [answers(200, same)] * 9
    oauth, sent = access.run(), request()
    oauth.refused(oauth(sent))
    with pytest.raises(AccessError, match=STILL):
        oauth.refused(oauth(sent))

    assert len(endpoint.received) == 2


def test_a_renewal_does_not_count_as_a_try(runner: Runner, sandbox: Sandbox) -> None:
    runner.sync()
    sandbox.advance(hours=3)
    runner.sync(max_retries=1)

    Judge(CALENDLY, sandbox).check(runner)


LIVES = {
    "absent": ("", 7080),
    "null": (', "expires_in": null', 7080),
    "0": (', "expires_in": 0', 7080),
    "negative": (', "expires_in": -5', 7080),
    "text": (', "expires_in": "3600"', 3480),
    "short": (', "expires_in": 60', 30),
    "fraction": (', "expires_in": 600.5', 480.5),
    "a year": (', "expires_in": 31536000', 86_280),
    "huge": (', "expires_in": 1e999', 86_280),
}


@pytest.mark.parametrize(("field", "used"), LIVES.values(), ids=LIVES)
def test_a_token_is_used_as_long_as_can_be_believed_and_is_not_renewed_with_each_request(
    access: Credential, endpoint: Endpoint, field: str, used: float
) -> None:
    endpoint.script = [answers(200, f'{{"access_token": "access-0", "refresh_token": "refresh-0"{field}}}'.encode())]
    oauth = access.run()
    assert [token(oauth), token(oauth), token(access.run())] == ["access-0"] * 3
    access.time += used - 1
    assert token(oauth) == "access-0"
    access.time += 1
    assert token(oauth) == "access-0002"


@pytest.mark.parametrize("kind", ["MAC", "dpop"])
def test_a_token_of_another_kind_gets_one_sentence_and_its_refresh_token_is_kept(
    access: Credential, endpoint: Endpoint, kind: str
) -> None:
    pair = f'{{"access_token": "access-0", "refresh_token": "refresh-0", "token_type": "{kind}"}}'
    endpoint.script = [answers(200, pair.encode())]

    assert "bearer tokens" in access.failure(access.run())
    assert token(access.run()) == "access-0002"
    assert endpoint.received == ["consent-3f9a", "refresh-0"]


def start(access: Credential) -> subprocess.Popen[str]:
    """A process that begins when it is told its settings."""
    return subprocess.Popen([sys.executable, "-c", PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(process: subprocess.Popen[str], access: Credential) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(access.settings) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"


def test_processes_that_share_a_file_renew_once_between_them(access: Credential, endpoint: Endpoint) -> None:
    endpoint.script = [answers_late]
    with start(access) as one, start(access) as other:
        tell(one, access)
        tell(other, access)
        endpoint.let_go.set()
        outputs = {one.communicate()[0], other.communicate()[0]}

    assert outputs == {"Bearer access-0001\n"}
    assert endpoint.received == ["consent-3f9a"]


def test_a_run_waits_for_another_ones_renewal_only_so_long(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_calendly.oauth._LOCK_TIMEOUT", 0)
    endpoint.script = [answers_late]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(token, access.run())
        endpoint.arrived.wait()
        assert "Another run has locked" in access.failure(access.run(), TapError)
        endpoint.let_go.set()

        assert slow.result() == "access-0001"


# Outcomes that are not known

UNKNOWN: dict[str, Behaviour] = {
    "closed": hangs_up,
    "no answer": never_answers,
    "500": answers(500, b'{"access_token": "access-dead"}'),
    "502": answers(502, b"<html>"),
    "408": answers(408),
    "cut short": answers(200, b'{"access_token": "access-dead', promised=500),
    "not JSON": answers(200, b"<html>access-dead</html>"),
    "not text": answers(200, b'{"access_token": "\xff"}'),
    "empty": answers(204),
    "a list": answers(200, b'["access-dead"]'),
    "no refresh token": answers(200, b'{"access_token": "access-dead", "expires_in": 7200}'),
    "no access token": answers(200, b'{"refresh_token": "refresh-dead", "expires_in": 7200}'),
    "null": answers(200, b'{"access_token": "access-dead", "refresh_token": null}'),
    "nothing in it": answers(200, b'{"access_token": "", "refresh_token": "refresh-dead"}'),
    "no such number": answers(200, b'{"access_token": "access-dead", "refresh_token": "r", "expires_in": "soon"}'),
    "nested deep": answers(200, b"[" * 100_000),
    "for ever": answers(200, b'{"access_token": "access-dead", "refresh_token": "r", "expires_in": %s}' % (b"9" * 400)),
    "garbled": answers(200, b"access-dead", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("behaviour", UNKNOWN.values(), ids=UNKNOWN)
def test_a_refresh_whose_outcome_is_unknown_is_never_repeated_and_a_new_consent_heals_it(
    access: Credential, endpoint: Endpoint, behaviour: Behaviour
) -> None:
    endpoint.script = [behaviour]
    oauth = access.run(request_timeout=0.2)
    first = access.failure(oauth)
    assert AGAIN in first
    assert access.failure(oauth) == first  # another thread of the same run
    assert AGAIN in access.failure(access.run())
    assert endpoint.received == ["consent-3f9a"]

    assert token(access.run(refresh_token="consent-4b1e")) == "access-0002"  # noqa: S106 - a test's
    assert endpoint.received == ["consent-3f9a", "consent-4b1e"]


def test_a_process_that_is_killed_before_the_answer_leaves_the_mark(access: Credential, endpoint: Endpoint) -> None:
    with start(access) as process:
        endpoint.script = [lambda _: process.send_signal(signal.SIGKILL)]
        tell(process, access)
        process.communicate()

    assert process.returncode == -signal.SIGKILL
    assert access.kept == [{"refresh_token": "consent-3f9a", "refreshing": True}]
    assert f"A token refresh was interrupted, so the refresh token may be used up: {AGAIN}" in access.failure(
        access.run()
    )
    assert endpoint.received == ["consent-3f9a"]


def test_a_proxy_that_hangs_up_may_have_passed_the_refresh_on(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", endpoint.url)
    endpoint.script = [hangs_up]

    for _ in range(2):
        assert AGAIN in access.failure(access.run(oauth_url="http://auth.test/oauth/token"))
    assert endpoint.received == ["consent-3f9a"]


# Outcomes that are known


def test_an_endpoint_that_is_never_reached_leaves_the_token_usable(
    access: Credential, endpoint: Endpoint, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (nobody, "auth.test:443/oauth/token", "http://", "auth.test"):
        assert "check `oauth_url` and the network" in access.failure(access.run(oauth_url=url), TapError)
    monkeypatch.setenv("http_proxy", nobody)
    access.failure(access.run(oauth_url="http://auth.test/oauth/token"), TapError)
    monkeypatch.delenv("http_proxy")

    assert token(access.run()) == "access-0001"
    assert endpoint.received == ["consent-3f9a"]


def test_a_connection_that_fails_is_tried_again(access: Credential, nobody: str) -> None:
    settings = access.settings | {"oauth_url": nobody}

    class Mending(VirtualClock):
        @override
        def wait_until(self, moment: float) -> None:
            settings["oauth_url"] = access.settings["oauth_url"]

    assert token(OAuth(settings, clock=Mending())) == "access-0001"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_that_is_not_trusted_leaves_the_token_usable(access: Credential, tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", pem, "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", pem)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as untrusted:
        access.failure(access.run(oauth_url=untrusted.url.replace("http", "https")), TapError)

    assert untrusted.received == []
    assert token(access.run()) == "access-0001"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, f"does not accept the refresh token: {AGAIN}"),
        (401, "check `client_id` and `client_secret`"),
        (307, "returned 307: check `oauth_url`"),
        (404, "returned 404: check `oauth_url`"),
    ],
)
def test_a_refresh_that_is_refused_gets_one_sentence_and_leaves_the_token_as_it_was(
    access: Credential, endpoint: Endpoint, status: int, sentence: str
) -> None:
    body = b'{"error": "invalid", "error_description": "hush-0000"}'
    endpoint.script = [answers(status, body, Location=f"{endpoint.url}/elsewhere")]
    oauth = access.run()

    assert sentence in access.failure(oauth)
    assert sentence in access.failure(oauth)  # without another request
    assert endpoint.received == ["consent-3f9a"]
    assert token(access.run()) == "access-0002"


def test_a_refresh_token_that_was_used_elsewhere_gets_one_sentence(runner: Runner, sandbox: Sandbox) -> None:
    runner.sync()
    Path(runner.config["token_file"]).unlink()

    with pytest.raises(AccessError, match=AGAIN):
        runner.sync()


def test_a_429_waits_as_long_as_it_says_and_is_sent_again(access: Credential, endpoint: Endpoint) -> None:
    endpoint.script = [answers(429, Retry_After="7"), answers(429), good]

    assert token(access.run()) == "access-0003"
    assert access.clock.waited == [7.0, 60.0]
    assert endpoint.received == ["consent-3f9a"] * 3


def test_an_endpoint_that_keeps_answering_429_ends_the_run_and_leaves_the_token_usable(
    access: Credential, endpoint: Endpoint
) -> None:
    endpoint.script = [answers(429)] * 5

    assert "429" in access.failure(access.run(), TapError)
    assert access.clock.waited == [60.0] * 4
    assert token(access.run()) == "access-0006"


@pytest.mark.parametrize("wait", ["1000000000", "241", "Fri, 31 Dec 9999 23:59:59 -1200", "9" * 300])
def test_a_pause_that_would_hold_the_file_for_long_ends_the_run_and_leaves_the_token_usable(
    access: Credential, endpoint: Endpoint, wait: str
) -> None:
    endpoint.script = [answers(429, Retry_After=wait)] * 5

    sentence = access.failure(access.run(), TapError)

    assert re.match(r"The token endpoint requires a pause of \d+ s \(429\): try again later", sentence)
    assert sum(access.clock.waited) <= 240
    assert len(sentence) < 100
    endpoint.script.clear()
    assert token(access.run()).startswith("access-")


def test_however_long_the_api_is_waited_for_the_endpoint_does_not_hold_the_file_longer_than_others_wait(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_tap._LOCK_TIMEOUT >= of_tap._PATIENCE + 2 * of_tap._LONGEST_PART
    monkeypatch.setattr(of_tap, "_LONGEST_PART", 0.2)
    endpoint.script = [never_answers]

    assert AGAIN in access.failure(access.run(request_timeout=3600))


def test_a_pause_is_told_with_its_length_and_its_reason(
    access: Credential, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.script = [answers(429, Retry_After="7"), good]
    with caplog.at_level(logging.INFO):
        token(access.run())

    assert "The token endpoint requires a pause of 7 s (429)" in caplog.text


def test_an_answer_that_is_too_large_is_an_outcome_that_nobody_knows(access: Credential, endpoint: Endpoint) -> None:
    endpoint.script = [answers(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")]

    assert AGAIN in access.failure(access.run())
    assert endpoint.received == ["consent-3f9a"]


def test_calendlys_own_limit_of_eight_a_minute_is_waited_out(runner: Runner, sandbox: Sandbox) -> None:
    for _ in range(8):
        requests.post(runner.config["oauth_url"], timeout=5)
    runner.select = lambda name, _default: name == "api_user"
    runner.sync()

    assert [requested.status for requested in sandbox.requests][8:11] == [429, 200, 200]


def test_a_run_that_is_stopped_while_it_waits_leaves_the_token_usable(access: Credential, endpoint: Endpoint) -> None:
    endpoint.script = [answers(429)]
    clock = Clock()
    clock.stop()
    with pytest.raises(StoppedError):
        token(OAuth(access.settings, clock=clock))

    assert token(access.run()) == "access-0002"


# The file


def test_the_file_is_private_and_nothing_is_left_beside_it(access: Credential) -> None:
    access.file.parent.mkdir()
    left = access.file.with_name("tokens.json.new")  # by a run that was killed
    left.write_text("{")
    left.chmod(0o644)
    umask = os.umask(0)
    try:
        token(access.run())
    finally:
        os.umask(umask)

    assert access.file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in access.file.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}
    assert access.file.with_name("tokens.json.lock").read_bytes() == b""


def a_pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link_to_nowhere_else(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.skipif(os.name != "posix", reason="makes pipes")
@pytest.mark.parametrize("name", ["tokens.json", "tokens.json.lock"])
@pytest.mark.parametrize("make", [a_pipe, a_device, a_folder, a_link_to_nowhere_else])
def test_what_is_no_file_is_refused_at_once(
    access: Credential, endpoint: Endpoint, make: Callable[[Path], None], name: str
) -> None:
    access.file.parent.mkdir()
    make(access.file.with_name(name))

    with pytest.raises(SettingsError, match=r"token.file.* (cannot be used|is not the path)"):
        token(access.run())

    assert endpoint.received == []


OTHERS = [
    (0o620, 0o700, "others may write to it", "chmod 600"),
    (0o602, 0o700, "others may write to it", "chmod 600"),
    (0o600, 0o770, "others may write to its folder", "chmod go-w"),
    (0o600, 0o707, "others may write to its folder", "chmod go-w"),
]


@pytest.mark.skipif(os.name != "posix", reason="goes by modes")
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_the_next_run_refuses_nothing_that_a_run_has_made_whatever_the_umask(access: Credential, umask: int) -> None:
    before = os.umask(umask)
    try:
        tokens = [token(access.run()) for _ in range(2)]
    finally:
        os.umask(before)

    assert tokens == ["access-0001"] * 2
    made = access.file.parent
    assert {path.stat().st_mode & 0o077 for path in (made, *made.iterdir())} == {0}


@pytest.mark.skipif(os.name != "posix", reason="goes by modes")
@pytest.mark.parametrize("is_link", [False, True])
@pytest.mark.parametrize(("mode", "folder", "why", "mend"), OTHERS)
def test_a_file_that_others_may_write_is_refused_with_what_to_do(  # noqa: PLR0913, PLR0917 - fixtures
    access: Credential,
    endpoint: Endpoint,
    tmp_path: Path,
    mode: int,
    folder: int,
    why: str,
    mend: str,
    *,
    is_link: bool,
) -> None:
    token(access.run())
    access.file.chmod(mode)
    access.file.parent.chmod(folder)
    link = tmp_path / "link.json"
    link.symlink_to(access.file)

    sentence = access.failure(access.run(token_file=str(link if is_link else access.file)), SettingsError)

    assert why in sentence
    assert mend in sentence
    assert len(endpoint.received) == 1


@pytest.mark.skipif(os.name != "posix", reason="goes by modes")
def test_a_file_of_another_user_is_refused(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    token(access.run())
    somebody = access.file.stat().st_uid + 1
    monkeypatch.setattr("os.geteuid", lambda: somebody)
    if os.getuid() == 0:
        os.chown(access.file, 12345, -1)

    sentence = access.failure(access.run(), SettingsError)

    assert "belongs to another user" in sentence
    assert f"chown {somebody}" in sentence
    assert len(endpoint.received) == 1


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="gives a folder to somebody else")
def test_a_file_in_a_folder_of_another_user_is_refused(access: Credential, endpoint: Endpoint) -> None:
    token(access.run())
    os.chown(access.file.parent, 12345, -1)

    assert "its folder belongs to another user" in access.failure(access.run(), SettingsError)
    assert len(endpoint.received) == 1


@pytest.mark.skipif(os.name != "posix", reason="goes by modes")
def test_a_shared_folder_with_the_sticky_bit_and_a_file_that_others_may_read_will_do(
    access: Credential, caplog: pytest.LogCaptureFixture
) -> None:
    token(access.run())
    access.file.chmod(0o644)
    access.file.parent.chmod(0o1777)

    assert token(access.run()) == "access-0001"
    assert access.file.stat().st_mode & 0o777 == 0o600
    assert "was readable by others; its mode has been set to 0600" in caplog.text


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_file_that_cannot_be_written_stays_whole_and_nothing_is_requested(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    token(access.run())
    before = access.file.read_bytes()
    access.time += 7200

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(call, full)
        assert "No space left on device" in access.failure(access.run(), SettingsError)

    assert access.file.read_bytes() == before
    assert {path.name for path in access.file.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}
    assert len(endpoint.received) == 1
    assert token(access.run()) == "access-0002"


def test_a_new_pair_that_cannot_be_written_is_not_used_and_the_old_token_not_sent_again(
    access: Credential, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = os.fsync

    def filling(descriptor: int) -> None:
        if endpoint.received:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", filling)
        access.failure(access.run(), SettingsError)

    assert access.kept == [{"refresh_token": "consent-3f9a", "refreshing": True}]
    assert AGAIN in access.failure(access.run())
    assert len(endpoint.received) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"consent": "x"}', b'{"x": {"refresh_token": 5}}', b'{"x": {}}'],
)
def test_a_damaged_file_gets_one_sentence_and_nothing_is_requested(
    access: Credential, endpoint: Endpoint, content: bytes
) -> None:
    access.file.parent.mkdir()
    access.file.write_bytes(content)

    assert f"{access.file} is damaged: remove it, {AGAIN}" in access.failure(access.run())
    assert endpoint.received == []
    assert access.file.read_bytes() == content


@pytest.mark.parametrize("place", ["a-file/tokens.json", "a-file/deeper/tokens.json", "a-folder", "closed/tokens.json"])
def test_a_place_that_cannot_be_written_gets_one_sentence_before_anything_is_requested(
    access: Credential, endpoint: Endpoint, tmp_path: Path, place: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "closed").mkdir(mode=0o500)
    if place.startswith("closed") and os.access(tmp_path / "closed", os.W_OK):
        pytest.skip("this user may write everywhere")

    sentence = access.failure(access.run(token_file=str(tmp_path / place)), SettingsError)

    assert "set `token_file` to a file in a folder that this user may write to" in sentence
    assert endpoint.received == []


def test_a_link_stays_a_link_and_its_target_is_the_file(access: Credential, endpoint: Endpoint, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(access.file)

    assert token(access.run(token_file=str(link))) == "access-0001"
    assert link.is_symlink()
    assert token(access.run()) == "access-0001"
    assert not Path(f"{link}.lock").exists()


def test_a_tilde_is_the_home_folder(access: Credential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert token(access.run(token_file="~/state/tokens.json")) == "access-0001"  # noqa: S106 - a path
    assert access.file.exists()


@pytest.mark.parametrize("path", ["~nobody-of-this-name/tokens.json", "a\0b"])
def test_a_token_file_that_is_no_path_gets_one_sentence(access: Credential, path: str) -> None:
    with pytest.raises(SettingsError, match="`token_file` is not the path of a file"):
        access.run(token_file=path)


def test_an_older_setting_that_comes_back_finds_its_own_pair(access: Credential, endpoint: Endpoint) -> None:
    token(access.run())
    token(access.run(refresh_token="consent-4b1e"))  # noqa: S106 - a test's

    assert token(access.run()) == "access-0001"
    assert endpoint.received == ["consent-3f9a", "consent-4b1e"]


# The command


@pytest.mark.parametrize("behaviour", [good, hangs_up, answers(400, b"hush-0000"), answers(200, b"access-dead")])
def test_the_command_ends_with_one_sentence_and_shows_no_secret_at_any_level(
    runner: Runner, endpoint: Endpoint, tmp_path: Path, behaviour: Behaviour
) -> None:
    endpoint.script = [behaviour]  # and no token of this endpoint is one of the API's
    config = runner.config | {"oauth_url": f"{endpoint.url}/oauth/token"}

    for level in ("INFO", "DEBUG"):
        outcome = run_tap(tmp_path, "tap-calendly", config | {"max_retries": 1}, level=level)
        assert (outcome.code, outcome.out) == (1, "")
        assert len(outcome.errors) == 1
        assert not SECRET.search(outcome.err)
        assert "Traceback" not in outcome.err or level == "DEBUG"


def test_a_sync_at_the_level_debug_shows_no_secret(runner: Runner, tmp_path: Path) -> None:
    outcome = run_tap(tmp_path, "tap-calendly", runner.config, level="DEBUG")

    assert outcome.code == 0
    assert not SECRET.search(outcome.err + outcome.out)


def test_a_path_that_acts_on_a_terminal_is_shown_in_one_harmless_line(tmp_path: Path) -> None:
    folder = tmp_path / "tokens\x1b[2J\nERROR | forged"
    folder.mkdir()

    with pytest.raises(SettingsError, match="is not a regular file") as refused:
        TokenFile(str(folder)).prepare()
    assert str(refused.value).isprintable()
    assert TokenFile(str(folder)).shown_lock.isprintable()
