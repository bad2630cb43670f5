"""Settings that a session reads from the environment, once per host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_common.http.bounded import Limits
from tap_common.http.session import Session

if TYPE_CHECKING:
    from pathlib import Path


LIMITS = Limits(1_000_000, 60)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *(name.upper() for name in PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


class Sent(requests.adapters.HTTPAdapter):
    """Notes what requests are sent with, and answers them itself."""

    def __init__(self) -> None:
        super().__init__()
        self.how: list[dict[str, object]] = []

    def send(self, request: requests.PreparedRequest, **how: object) -> requests.Response:  # type: ignore[override]  # all by name
        self.how.append(how)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, str(request.url)
        answer.raw = None
        answer._content = b""
        return answer


def sent(session: Session, *urls: str) -> list[dict[str, object]]:
    adapter = Sent()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    for url in urls:
        session.send(requests.Request("GET", url).prepare(), timeout=1)
    return adapter.how


def test_the_proxy_and_the_certificates_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    outside, inside = sent(Session(LIMITS), "https://api.example/x", "https://inside.example/x")

    assert outside["proxies"] == {"https": "http://proxy.example:3128", "no": "inside.example"}
    assert "https" not in inside["proxies"]  # type: ignore[operator]  # a mapping
    assert outside["verify"] == inside["verify"] == str(bundle)


def test_without_them_certificates_are_still_checked() -> None:
    [only] = sent(Session(LIMITS), "https://api.example/x")

    assert only["verify"] is True
    assert not only["proxies"]


def test_the_environment_is_read_once_for_each_host(monkeypatch: pytest.MonkeyPatch) -> None:
    session, read = Session(LIMITS), []
    merge = session.merge_environment_settings

    def reading(url: str, *rest: Any) -> Any:
        read.append(url)
        return merge(url, *rest)

    monkeypatch.setattr(session, "merge_environment_settings", reading)

    sent(session, "https://a.example/1", "https://a.example/2?x=1", "https://b.example/1", "http://a.example/1")

    assert read == ["https://a.example/1", "https://b.example/1", "http://a.example/1"]
