"""An API that is not reached: which address, which variable, which file, which certificate, and what to do."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from apis import APIS
from commands import Outcome, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from api import Api

pytestmark = pytest.mark.long

CLEAN = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CLEAN:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Refusing(BaseHTTPRequestHandler):
    """Answers 501 to everything, and as a proxy what it is told."""

    refusal = 407

    def do_CONNECT(self) -> None:
        self.send_error(self.refusal)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Host and port of a server."""
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def closed() -> str:
    """Host and port where nobody listens."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"127.0.0.1:{server.server_port}"


def requested(api: Api, url: str, environment: Mapping[str, str] | None = None, **settings: object) -> Outcome:
    """A run against an address, by the real command."""
    prefix = api.tap.name.upper().replace("-", "_")
    named = {"api_url": url, "api_key": "hush-1", "max_retries": 1, **settings}
    ours = {f"{prefix}_{name.upper()}": str(value) for name, value in named.items()}
    return run(api.tap.name, "--config=ENV", environment=ours | dict(environment or {}))


def said(outcome: Outcome) -> str:
    """The one sentence."""
    assert (outcome.code, outcome.out) == (1, "")
    [sentence] = outcome.errors
    assert "Unexpected" not in sentence
    assert "Traceback" not in outcome.err
    assert "hush" not in outcome.err
    assert sentence.endswith(".")
    return sentence


def certificate(folder: Path, *more: str, names: str = "IP:127.0.0.1", days: str = "1") -> ssl.SSLContext:
    """A server's side of TLS, with a certificate of its own making in `folder`/cert.pem."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    about = ["-subj", "/O=Example Corp/CN=gate", "-addext", f"subjectAltName={names}", "-days", days, *more]
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run([*made, *about, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
luma = pytest.mark.parametrize("api", APIS[2:3], ids=lambda api: api.name)


def test_where_nothing_runs_on_this_machine_the_sentence_says_how_to_start_it_or_ask_the_vendor(
    api: Api, closed: str
) -> None:
    sentence = said(requested(api, f"http://{closed}/x"))

    assert f"could not be reached at http://{closed} (setting `api_url`)" in sentence
    assert "`make sandbox`" in sentence
    assert "`MELTANO_ENVIRONMENT=prod`" in sentence


def test_a_host_that_does_not_exist_is_named_without_a_password(api: Api) -> None:
    sentence = said(requested(api, "https://somebody:hush-2@api.nowhere.invalid:8443/luma"))

    assert "at https://api.nowhere.invalid:8443 (setting `api_url`): the host name is unknown" in sentence


BUNDLES = {
    "missing.pem": "which does not exist",
    "folder": "a folder without a matching certificate",
    "text.pem": "which contains no certificates",
}


@luma
@needs_openssl
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(("name", "why"), BUNDLES.items(), ids=BUNDLES)
def test_a_file_of_certificates_that_cannot_be_used_is_named_with_its_variable(
    api: Api, tmp_path: Path, variable: str, name: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.pem").write_text("no certificate")

    with serving(certificate(tmp_path)) as host:
        sentence = said(requested(api, f"https://{host}", {variable: str(tmp_path / name)}))

    assert f"`{variable}` names {tmp_path / name}, {why}" in sentence


@needs_openssl
def test_a_certificate_that_is_not_trusted_is_named_by_who_issued_it(api: Api, tmp_path: Path) -> None:
    with serving(certificate(tmp_path)) as host:
        sentence = said(requested(api, f"https://{host}", max_retries=5))

    assert "issued by Example Corp, is not trusted (self-signed certificate)" in sentence
    assert "`REQUESTS_CA_BUNDLE`" in sentence


@luma
@needs_openssl
def test_a_certificate_of_another_host_or_of_another_day_says_so(api: Api, tmp_path: Path) -> None:
    trusted = {"REQUESTS_CA_BUNDLE": str(tmp_path / "cert.pem")}
    with serving(certificate(tmp_path, names="DNS:other.example")) as host:
        other = said(requested(api, f"https://{host}", trusted))
    past = ["-not_before", "20240101000000Z", "-not_after", "20240102000000Z"]
    try:
        context = certificate(tmp_path, *past)
    except subprocess.CalledProcessError:  # before OpenSSL 3.4
        context = None
    if context:
        with serving(context) as host:
            assert "expired" in said(requested(api, f"https://{host}", trusted))

    assert "mismatch" in other
    assert "it belongs to another host" in other


@luma
@needs_openssl
def test_a_certificate_that_is_trusted_is_no_error(api: Api, tmp_path: Path) -> None:
    with serving(certificate(tmp_path)) as host:
        outcome = requested(api, f"https://{host}", {"REQUESTS_CA_BUNDLE": str(tmp_path / "cert.pem")})

    assert "501" in outcome.errors[-1]


@luma
def test_https_where_http_is_spoken_says_so(api: Api) -> None:
    with serving() as host:
        assert "does not use TLS" in said(requested(api, f"https://{host}"))


PROXIES = {
    "socks5://127.0.0.1:9": "is a SOCKS proxy, which needs the package PySocks",
    "socks5h://somebody:hush-2@proxy.example:1080": "the proxy proxy.example:1080 of the environment variable",
    "http://somebody:hush-2@127.0.0.1:9": "the proxy 127.0.0.1:9 of the environment variable",
    "127.0.0.1:9": "cannot be reached",
    "http://": "is not the URL of a proxy",
    "http://proxy:port": "is not the URL of a proxy",
    "ftp://proxy:21": "is not the URL of a proxy",
    "my proxy": "is not the URL of a proxy",
}


@luma
@pytest.mark.parametrize(("proxy", "why"), PROXIES.items(), ids=PROXIES)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_used_is_named_with_its_variable_and_without_its_password(
    api: Api, variable: str, proxy: str, why: str
) -> None:
    sentence = said(requested(api, "https://api.example.com", {variable: proxy}))

    assert f"`{variable}`" in sentence
    assert why in sentence


@luma
def test_a_proxy_that_wants_a_password_says_so_at_once(api: Api) -> None:
    with serving() as host:
        sentence = said(requested(api, "https://api.example.com", {"HTTPS_PROXY": f"http://{host}"}, max_retries=5))

    assert f"the proxy {host} of the environment variable `HTTPS_PROXY` refuses the connection: " in sentence
    assert "(407)" in sentence


@pytest.mark.parametrize("api", APIS[:1], ids=lambda api: api.name)
def test_the_token_endpoint_is_explained_like_the_api(api: Api, tmp_path: Path) -> None:
    oauth = {
        "client_id": "client",
        "client_secret": "hush-2",
        "refresh_token": "hush-3",
        "token_file": str(tmp_path / "tokens.json"),
        "oauth_url": "https://auth.example.com/token",
        "api_key": "",
    }
    missing = str(tmp_path / "nope.pem")
    sentence = said(requested(api, "https://api.example.com", {"REQUESTS_CA_BUNDLE": missing}, **oauth))

    assert "check `oauth_url` and the network" in sentence
    assert f"`REQUESTS_CA_BUNDLE` names {missing}, which does not exist" in sentence
    assert "refreshing" not in (tmp_path / "tokens.json").read_text()
