"""Messages about failed connections: the cause, and what to do."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests import exceptions as failed

from tap_common.http.address import is_loopback, proxies_for
from tap_common.http.certificate import issuer_of
from tap_common.http.unreadable import error_chain
from tap_common.printable import printable

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# OpenSSL's codes of verification (X509_V_ERR_…).
_EXPIRED, _OTHER_HOST = 10, (62, 64)


def connection_error_reason(error: Exception, url: str) -> str:
    """Return the cause of a failed request and what to do, as the end of a sentence.

    The error's own text is not shown, since it may quote the request.
    """
    causes, proxy = list(error_chain(error)), _proxy(url)
    return (
        _bundle(causes)
        or _proxied(error, causes, proxy)
        or _certificate(causes, url)
        or _connection(error, causes, url)
        or f"{type(error).__name__}{f', through the proxy of `{proxy}`' if proxy else ''}"
    )


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL, without a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_permanent(error: BaseException) -> bool:
    """Return True if a retry cannot help: the cause is a setting of this machine, or a certificate."""
    kinds = (failed.InvalidSchema, failed.MissingSchema, failed.InvalidURL, ssl.SSLCertVerificationError)
    # requests raises a plain OSError for a missing file of certificates, before it sends anything.
    return type(error) is OSError or any(
        isinstance(cause, kinds) or "Tunnel connection failed: 4" in str(cause) for cause in error_chain(error)
    )


def _bundle(causes: list[BaseException]) -> str:
    """Return the fault of the certificate file that the environment names, if it has one."""
    variable = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if variable is None:
        return ""
    path = Path(os.environ[variable])
    named = f"the environment variable `{variable}` names {printable(path)}, "
    if not path.exists():
        return f"{named}which does not exist"
    if path.is_dir():
        untrusted = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)
        return f"{named}a folder without a matching certificate: name a file (PEM)" if untrusted else ""
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:
        why = (
            "which contains no certificates (PEM)"
            if isinstance(error, ssl.SSLError)
            else f"which cannot be read ({error.strerror})"
        )
        return f"{named}{why}"
    return ""


def _proxy(url: str) -> str | None:
    """Return the environment variable that sets the proxy for a URL, or None."""
    if proxies_for(url) or not requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return None
    names = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    return next((spelt for name in names for spelt in (name, name.upper()) if os.environ.get(spelt)), None)


def _proxied(error: Exception, causes: list[BaseException], proxy: str | None) -> str:
    """Return the fault of the proxy that the environment names, if it has one."""
    if proxy is None:
        return ""
    address = os.environ[proxy]
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        place = f" {printable(parts.hostname)}{f':{parts.port}' if parts.port else ''}" if parts.hostname else ""
    except ValueError:
        place = ""
    of = f"the proxy{place} of the environment variable `{proxy}`"
    if isinstance(error, failed.InvalidSchema) or "SOCKS support" in str(error):
        return (
            f"{of} is a SOCKS proxy, which needs the package PySocks: install it beside the tap, or set an HTTP proxy"
        )
    if not place or isinstance(error, failed.InvalidProxyURL | failed.InvalidURL | ValueError):
        return f"the environment variable `{proxy}` is not the URL of a proxy, such as http://host:3128"
    texts = [str(cause) for cause in causes]
    if refused := next((text for text in texts if text.startswith("Tunnel connection failed: ")), None):
        status = refused.removeprefix("Tunnel connection failed: ")[:3]
        why = "it requires a name and a password (407): http://name:password@host:port"
        return f"{of} refuses the connection: {why if status == '407' else printable(status)}"
    if isinstance(error, failed.ProxyError):
        return f"{of} cannot be reached: check that variable, or name the host in `NO_PROXY`"
    return ""


def _certificate(causes: list[BaseException], url: str) -> str:
    """Return the reason for which the host's certificate is not trusted, if it is not."""
    refused = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if refused is None:
        if any(isinstance(cause, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(cause) for cause in causes):
            return "the server does not use TLS, so its URL begins with http://"
        return ""
    by = issuer_of(url)
    issued = f", issued by {printable(by)}," if by else ""
    fault = f"its certificate{issued} is not trusted ({refused.verify_message.rstrip('.')})"
    variable = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if refused.verify_code in _OTHER_HOST:
        return f"{fault}: it belongs to another host"
    if refused.verify_code == _EXPIRED:
        return f"{fault}: it must be renewed, or this machine's clock is wrong"
    if variable:
        return f"{fault}: add the issuer's certificate to {printable(os.environ[variable])}, the file of `{variable}`"
    return f"{fault}: if that is your company's, set `REQUESTS_CA_BUNDLE` to a file with its certificate (PEM)"


def _connection(error: Exception, causes: list[BaseException], url: str) -> str:
    """Return the reason for a missing connection or response, if it is known."""
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        if is_loopback(url):
            start = "start the sandbox with `make sandbox` in another terminal"
            return f"nothing is running there; {start}, or set `MELTANO_ENVIRONMENT=prod` for the vendor's API"
        return "the connection was refused"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name is unknown"
    if isinstance(error, failed.Timeout):
        return f"no complete response in time ({type(error).__name__}), see `request_timeout`"
    return ""
