"""Whatever an API answers, and whatever a state, a catalog or a setting is: a run comes to its end or says why not."""

from __future__ import annotations

import json
import logging
import os
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from api import settings as settings_of
from harness import Messages, VirtualClock
from mangling import Change, Mangler, with_node
from tap_common.cli.entry_point import error_message
from tap_common.state.state import check_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api import Api
    from sandbox import Sandbox

MARKER = "S3cret-7f3a"
"""Part of many values that the API sends; no log may hold it."""
SOAK = 60 * float(os.environ.get("MINUTES", "10"))
SEARCH = settings(
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
NASTY = [
    "",
    ".",
    "..",
    "x?admin=1",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2026-13-45",
    "2026W05",
    "0050-01-01T00:00:00Z",
    "İ",
]


def json_values(marker: str) -> st.SearchStrategy[Any]:
    """Return values of all JSON types, most of whose texts hold a marker."""
    wild = [f"{marker}\x1b[2J\r\nERROR | forged", f"{marker}\u202e\ud800", marker + "y" * 3_000]
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([0, -1, 2**63, 10**40, 10**400, 1e308, -0.0]),
        st.sampled_from([*NASTY, *wild]),
        st.text(max_size=8).map(lambda text: f"{marker}{text}"),
    )
    names = st.sampled_from(["id", "uri", "a\x1b", "x" * 300])
    return st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
        max_leaves=4,
    )


values = json_values(MARKER)
bodies = st.one_of(
    st.sampled_from(
        [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 2_000, b'{"a":' * 2_000, b"1e999", b"NaN", b'"' + b"x" * 9]
    ),
    st.binary(max_size=12),
    values.map(lambda value: json.dumps(value).encode()),
)
headers = st.tuples(
    st.sampled_from(
        [
            *("Date", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Link"),
            *("Content-Encoding", "Content-Type", "Transfer-Encoding", "Content-Length", "Location", "Set-Cookie"),
        ]
    ),
    st.one_of(
        st.sampled_from(
            [
                *(
                    "",
                    "0",
                    "-1",
                    "1",
                    "1e400",
                    "nan",
                    "inf",
                    "1000000000",
                    "99999999999999999999",
                    "soon",
                    "gzip",
                    "br",
                ),
                *("gzip, gzip", "chunked", "Fri, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 0001 00:00:00 +1200"),
                *(
                    "Tue, 01 Jan 2030 00:00:00 GMT",
                    '<http://x/?after=1>; rel="next"',
                    "<>; rel=next",
                    "é" * 500,
                    MARKER,
                ),
            ]
        ),
        st.text("0123456789-.:,;=<>?/ abc", max_size=12),
    ),
)
statuses = st.one_of(st.integers(200, 599).map(str), st.sampled_from(["099", "1000", "700", "abc", ""]))
requests = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 30))
changes = st.one_of(
    st.builds(Change, st.just("node"), values, requests, st.integers(0, 400)),
    st.builds(Change, st.just("header"), headers, requests),
    st.builds(Change, st.just("status"), statuses, requests),
    st.builds(Change, st.just("body"), bodies, requests),
)
where = st.one_of(st.integers(0, 12), st.integers(0, 4_000))
edits = st.lists(st.tuples(where, json_values("")), max_size=2)


class Log(logging.Handler):
    """Everything that is logged at INFO or above, as a terminal would show it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Fuzzed:
    """A tap, a sandbox, and what stands between them."""

    def __init__(self, api: Api, sandbox: Sandbox, mangler: Mangler) -> None:
        self.api = api
        self.mangler = mangler
        self.clock = cast("VirtualClock", sandbox.clock)
        self.config = settings_of(api, sandbox) | {"api_url": f"{mangler.url}/{api.name}", "max_retries": 2}
        good = Messages()
        mangler.begin(())
        tap = self.tap(message_writer=good)
        self.catalog: Any = json.loads(json.dumps(tap.catalog_dict))
        tap.run()
        tap.close()
        self.state = next(message["value"] for message in reversed(good.read) if message["type"] == "STATE")

    def tap(self, **parts: Any) -> Any:
        """Return a tap as the command makes it."""
        if parts.get("catalog") is not None:
            check_catalog(parts["catalog"])
        return self.api.tap(**{"config": self.config, "clock": self.clock, **parts})

    def run(self, **parts: Any) -> None:
        """Run the tap, which comes to its end or ends with a sentence."""
        log, said, messages = Log(), "", Messages()
        root = logging.getLogger()
        root.addHandler(log)
        tap = None
        try:
            tap = self.tap(message_writer=messages, **parts)
            tap.run()
        except Exception as error:
            sentence = error_message(error)
            if sentence is None:
                raise
            said = sentence
            event(sentence[:40])
        finally:
            root.removeHandler(log)
            if tap is not None:
                tap.close()
        for line in [*log.lines, said]:
            assert MARKER not in line, line
            assert line.isprintable(), line


@pytest.fixture
def fuzzed(api: Api, sandbox: Sandbox) -> Iterator[Fuzzed]:
    """One of the taps with its answers in our hands."""
    with Mangler(sandbox.url) as mangler:
        yield Fuzzed(api, sandbox, mangler)


def answers(fuzzed: Fuzzed) -> Callable[[], None]:
    """Return a search over answers."""

    def test(some: list[Change], *, again: bool) -> None:
        fuzzed.mangler.begin(some)
        fuzzed.run(state=deepcopy(fuzzed.state) if again else None)

    return given(some=st.lists(changes, min_size=1, max_size=4), again=st.booleans())(test)


def inputs(fuzzed: Fuzzed) -> Callable[[], None]:
    """Return a search over what a user gives: state, catalog, settings."""
    names = sorted(fuzzed.api.tap.config_jsonschema["properties"])
    chosen = st.dictionaries(st.sampled_from([*names, "unknown"]), values, max_size=2)

    def edited(document: Any, some: list[tuple[int, Any]]) -> Any:
        document = deepcopy(document)
        for number, value in some:
            document = with_node(document, number, deepcopy(value))
        # The command refuses a file that does not hold an object.
        return document if isinstance(document, dict) else {}

    def test(state: list[Any], catalog: list[Any], config: dict[str, Any]) -> None:
        fuzzed.mangler.begin(())
        catalog_given = edited(fuzzed.catalog, catalog) if catalog else None
        parts = {"state": edited(fuzzed.state, state), "catalog": catalog_given}
        fuzzed.run(config=fuzzed.config | config, **parts)

    return given(state=edits, catalog=edits, config=chosen)(test)


SEARCHES: dict[Callable[[Fuzzed], Callable[[], None]], int] = {answers: 60, inputs: 300}
"""Runs of each search for each API: a minute in all on two cores."""


@pytest.mark.long
@pytest.mark.parametrize("search", SEARCHES)
def test_no_run_ends_unforeseen_and_no_value_is_logged(
    fuzzed: Fuzzed, search: Callable[[Fuzzed], Callable[[], None]]
) -> None:
    settings(SEARCH, max_examples=SEARCHES[search])(search(fuzzed))()


@pytest.mark.soak
@pytest.mark.timeout(2 * SOAK)
@pytest.mark.parametrize("search", SEARCHES)
def test_soak(fuzzed: Fuzzed, search: Callable[[Fuzzed], Callable[[], None]]) -> None:
    end = time.monotonic() + SOAK / len(SEARCHES)
    while time.monotonic() < end:
        settings(SEARCH, derandomize=False, max_examples=SEARCHES[search])(search(fuzzed))()
