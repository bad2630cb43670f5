"""Keys go to the API alone: not to other hosts, over plain HTTP, to proxies or to strangers' certificates."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import requests

import licences
from apis import APIS
from calendly_api import CALENDLY
from commands import run_tap
from harness import Messages, VirtualClock
from tap_calendly.oauth import OAuth
from tap_common.errors import RequestError, SettingsError, TapError
from tap_common.settings import config_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api import Api

KEY = "key-3f9a"
REDIRECTS = [301, 302, 303, 307, 308]


class Listener(ThreadingHTTPServer):
    """Answers each request alike, and keeps the head of each that it got."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.headers = headers
        self.heads: list[str] = []

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that does not trust the certificate hangs up."""


class Answer(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.heads.append(f"{self.requestline}\n{self.headers}")
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_CONNECT = do_GET  # noqa: N815 - the names of the methods

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Starts servers."""
    with ExitStack() as stack:

        def start(status: int = 200, context: ssl.SSLContext | None = None, **headers: str) -> Listener:
            server = stack.enter_context(Listener(status, **headers))
            if context:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            stack.enter_context(served(server))
            return server

        yield start


@contextmanager
def served(server: Listener) -> Iterator[None]:
    """A server in a thread of its own."""
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield
    server.shutdown()
    thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def checked(api: Api, url: str, **config: Any) -> None:
    """Run the checks that come before the first message."""
    config = {"api_key": KEY, "api_url": url, "max_retries": 1, **config}
    tap = api.tap(config=config, clock=VirtualClock(), message_writer=Messages())
    try:
        tap.check()
    finally:
        tap.close()


def refreshed(url: str, folder: Path) -> None:
    """A refresh of Calendly's tokens."""
    oauth = {"oauth_url": url, "refresh_token": KEY, "client_id": "id", "client_secret": KEY, "request_timeout": 5}
    OAuth(oauth | {"token_file": str(folder / "tokens.json")}, clock=VirtualClock())(
        requests.Request("GET", "https://api.calendly.com").prepare()
    )


# Plain HTTP


@pytest.mark.parametrize("name", ["api_url", "oauth_url"])
@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com",
        "http://10.0.0.5:8080/x",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@api.example.com",
        "http://api.example.com\\@127.0.0.1",
        "http://[2001:db8::1]/",
        "http://0.0.0.0:1",
    ],
)
def test_a_key_does_not_go_over_http_to_another_machine(name: str, address: str) -> None:
    schema = CALENDLY.tap.config_jsonschema

    [sentence] = config_problems(schema, {"api_key": KEY, name: address})

    assert sentence.startswith(f"Setting `{name}` begins with http://")
    assert address not in sentence
    assert list(config_problems(schema, {"api_key": KEY, name: address, "allow_http": True})) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com",
        "http://127.0.0.1:8787/x",
        "http://127.8.9.1",
        "http://localhost:8787",
        "http://LOCALHOST",
        "http://[::1]:8787",
    ],
)
def test_https_and_this_machine_need_no_permission(address: str) -> None:
    assert list(config_problems(CALENDLY.tap.config_jsonschema, {"api_key": KEY, "api_url": address})) == []


@pytest.mark.parametrize("address", ["http://", "https://", "http://[::1", "http://a b", "https://x:port"])
def test_what_is_no_address_gets_one_sentence(address: str) -> None:
    [sentence] = config_problems(CALENDLY.tap.config_jsonschema, {"api_key": KEY, "api_url": address})

    assert sentence == "Setting `api_url` is not a URL."


def test_every_tap_refuses_plain_http_before_it_asks_or_writes_anything(api: Api) -> None:
    with pytest.raises(SettingsError, match="`api_url` begins with http://"):
        checked(api, "http://api.example.com")


def test_the_refusal_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    outcome = run_tap(tmp_path, "tap-luma", {"api_key": KEY, "api_url": "http://api.example.com"})

    assert (outcome.code, outcome.out, len(outcome.errors)) == (1, "", 1)
    assert "use https://, or set `allow_http` to true" in outcome.errors[0]


# Other hosts


@pytest.mark.parametrize("status", REDIRECTS)
def test_no_redirect_takes_a_key_or_a_cookie_to_another_host(
    api: Api, listen: Callable[..., Listener], status: int
) -> None:
    other = listen()
    elsewhere = other.url.replace("127.0.0.1", "localhost")
    source = listen(status, Location=f"{elsewhere}/taken", Set_Cookie="session=c00c1e; Domain=localhost; Path=/")

    with pytest.raises(RequestError, match=str(status)):
        checked(api, source.url)

    assert KEY in source.heads[0]
    assert not any("c00c1e" in head for head in source.heads)
    assert other.heads == []


@pytest.mark.parametrize("status", REDIRECTS)
def test_no_redirect_takes_a_refresh_token_to_another_host(
    listen: Callable[..., Listener], tmp_path: Path, status: int
) -> None:
    other = listen()
    source = listen(status, Location=other.url.replace("127.0.0.1", "localhost"))

    with pytest.raises(TapError, match=f"returned {status}"):
        refreshed(source.url, tmp_path)

    assert len(source.heads) == 1
    assert other.heads == []


# Proxies


def test_a_proxy_learns_the_host_alone(
    api: Api, listen: Callable[..., Listener], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = listen(502)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    with pytest.raises(requests.RequestException):
        checked(api, "https://api.example.com")
    with pytest.raises(TapError):
        refreshed("https://auth.example.com", tmp_path)

    assert {head.split()[1] for head in proxy.heads} == {"api.example.com:443", "auth.example.com:443"}
    assert not any(KEY in head or "uthorization" in head for head in proxy.heads)


@pytest.mark.parametrize("host", ["127.0.0.1", "%6cocalhost", "x@127.0.0.1"])
def test_no_proxy_stands_before_plain_http_to_this_machine_however_it_is_spelt(
    api: Api, listen: Callable[..., Listener], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    proxy, source = listen(502), listen(400)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("ALL_PROXY", proxy.url)

    with pytest.raises(RequestError):
        checked(api, source.url.replace("127.0.0.1", host))
    with pytest.raises(TapError):
        refreshed(source.url.replace("127.0.0.1", host), tmp_path)

    assert len(source.heads) == 2
    assert proxy.heads == []


# Certificates


def test_no_setting_turns_the_check_of_certificates_off(api: Api) -> None:
    names = api.tap.config_jsonschema["properties"]

    assert [name for name in names if re.search("verify|insecure|ssl|tls|cert", name)] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_host_without_a_trusted_certificate_gets_no_key(listen: Callable[..., Listener], tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-subj", "/CN=localhost", "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"]
    subprocess.run([*made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = listen(context=context)

    for api in APIS:
        with pytest.raises(requests.exceptions.SSLError):
            checked(api, server.url.replace("http", "https"))
    assert server.heads == []


# What else is installed


def test_nothing_that_the_published_packages_need_has_a_licence_that_is_not_allowed() -> None:
    found = {name: licences.licence(one) for name, one in licences.others(licences.PUBLISHED).items()}

    assert {"singer-sdk", "requests", "duckdb"} <= found.keys()
    assert {name: licence for name, licence in found.items() if not licences.allowed(licence)} == {}


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("unknown", False),
    ],
)
def test_one_may_choose_among_licences_but_not_pass_one_by(expression: str, *, fine: bool) -> None:
    assert licences.allowed(expression) == fine


@pytest.mark.skipif(licences.here() != licences.ENVIRONMENT, reason=f"the page is that of {licences.ENVIRONMENT}")
def test_the_page_of_licences_is_that_of_what_is_installed() -> None:
    assert {path: path.read_text(encoding="utf-8") for path in licences.pages()} == licences.pages()
