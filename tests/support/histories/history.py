"""Histories of a source and of the runs that follow it, searched for one that breaks the promise: nothing lost."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

from api import runner_of
from choice import Choice, NothingToChooseError
from harness import CORE, VirtualClock, kill
from how import How
from misled import ALONE, IGNORED, MISLED, Misled, Unfiltered, misleading, run_misled
from sandbox import Sandbox
from sandbox.gate import DATES
from sandbox.signals import PLACES
from sandbox.world import EPOCH
from tap_common.cli.process import on_one_core
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from api import Api
    from harness import Runner
    from sandbox.world import World

Mutation = tuple[str, int]
"""The name of what happens, and which of the things that it can happen to: 0 is the newest."""

TIMES = {
    "a_minute_passes": timedelta(minutes=1),
    "an_hour_passes": timedelta(hours=1),
    "a_day_passes": timedelta(days=1),
    "eight_days_pass": timedelta(days=8),
    "forty_days_pass": timedelta(days=40),
}
WRONG_BY = "hours by which the clock is wrong"
STATE = "state"
SETTINGS: Mapping[str, list[Any]] = {
    "start_date": [None, -3, -20, -300],
    "lookback_days": [30, 5, 1, 90],
    "page_size": [100, 3, 2],
    "concurrency": [8, 1],
    WRONG_BY: [0, -1, -720, 24],
    STATE: ["of another make", "lost", "ahead of its time"],
}
"""Settings that may change between two runs; a start date in days from that moment."""
FAULTS = (
    *("408", "425", "429", "429-retry-after", "500", "502-html", "503", "504", "reset", "truncated", "html"),
    *("stale-token", "byte-order-mark", *DATES),
)
ROUNDS = 10
SEARCH = settings(
    max_examples=20,
    stateful_step_count=4,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
"""One of the rounds of a search: each begins with another seed, as Hypothesis varies what it has begun with."""
HISTORIES, KILLED, FAULTY, MEANWHILE = "histories", "runs killed", "answers faulty", "things that happened meanwhile"
ODD = "values that did not fit their columns"
LEAST = {HISTORIES: ROUNDS * SEARCH.max_examples, KILLED: 100, FAULTY: 50, MEANWHILE: 50, MISLED: 20, ODD: 100}
"""Least numbers of a search; with less it would be weaker than it looks."""
SOAK = 60 * float(os.environ.get("MINUTES", "10"))
"""Seconds that `make soak` searches each API."""
_MACHINE = 1_780_000_000
"""First time of the clock of the tap's machine, in seconds since 1970."""


@dataclass(frozen=True)
class Faultily(How):
    """A run with one answer in five faulty."""

    seed: int

    @override
    def run(self, history: History) -> None:
        history.sandbox.faults.randomly(rate=0.2, seed=self.seed, kinds=FAULTS)
        history.sync()
        history.sandbox.faults.clear()


@dataclass(frozen=True)
class Partly(How):
    """A run without some streams, and with some that are off by default."""

    without: frozenset[str]
    also: frozenset[str]

    @override
    def run(self, history: History) -> None:
        history.sync(select=lambda name, default: name in self.also or (default and name not in self.without))


@dataclass(frozen=True)
class Killed(How):
    """A run that ends at a message, counted from the start, or from a STATE on."""

    message: int
    states: int = 0

    @property
    def end(self) -> dict[str, Any]:
        """Return the message at which the run ends."""
        return {"after": self.message, "then": kill, "states": self.states}

    @override
    def run(self, history: History) -> None:
        history.sync(**self.end)


@dataclass(frozen=True)
class Meanwhile(How):
    """A run during which something happens, before the answer to a request; it may end at a message."""

    request: int
    what: tuple[Mutation, ...]
    killed: Killed | None = None

    @override
    def run(self, history: History) -> None:
        history.judge.note(history.api.judged())

        def happen() -> None:
            history.lived[MEANWHILE] += history.happen(self.what)

        history.sandbox.meanwhile(self.request, happen)
        history.sync(judged=False, **(self.killed.end if self.killed else {}))
        history.sandbox.forget_meanwhile()


@dataclass(frozen=True)
class InFull(How):
    """A run of the extractor that reads every stream in full: nothing is unseen.

    Without a start date: what lies before it would be taken for gone, and no later run would know.
    """

    @override
    def run(self, history: History) -> None:
        history.sync(in_full=True, start_date=None)


@dataclass(frozen=True)
class Anew(How):
    """A run with `--full-refresh`."""

    @override
    def run(self, history: History) -> None:
        history.runner.forget()
        history.sync()


class History(RuleBasedStateMachine):
    """History of one source and its runs.

    It begins with an organization in which nothing happens by chance. After every run that was whole, and during which
    nothing happened at the source, the warehouse must equal the source: but for what the tap's own page lists.
    """

    api: ClassVar[Api]
    happened: ClassVar[Counter[str]]
    """Number of times that each mutation found an object, in all histories."""
    explained: ClassVar[Counter[str]]
    """In how many histories each of what the tap does not see was met."""
    lived: ClassVar[Counter[str]]
    """Numbers of histories and of what happened in their runs."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)  # twenty lines a run
        self.clock = VirtualClock()
        self.sandbox = Sandbox(scale="tiny", clock=self.clock, now=EPOCH + timedelta(hours=1))
        settle(self.sandbox.world)
        with on_one_core(CORE):
            self.sandbox.__enter__()
        self.runner = self.runner_to_test()
        self.judge = Judge(self.api, self.sandbox)
        self.settings: dict[str, Any] = {}
        self.wrong_by = 0

    def runner_to_test(self) -> Runner:
        """Runs of the tap."""
        return runner_of(self.api, self.sandbox, self.clock)

    @override
    def teardown(self) -> None:
        try:
            self.sync()
        finally:
            logging.disable(logging.NOTSET)
            self.sandbox.__exit__(None, None, None)
            self.explained.update(self.judge.explained)
            self.lived[HISTORIES] += 1
            self.lived[FAULTY] += len(self.sandbox.faults.injected)

    def happen(self, what: tuple[Mutation, ...]) -> int:
        """Let things happen, as far as there is something that they can happen to; returns how many did."""
        done = 0
        for name, nth in what:
            try:
                self.act(name, Choice(nth))
            except NothingToChooseError:
                continue
            self.happened[name] += 1
            done += 1
        return done

    def act(self, name: str, choice: Choice) -> None:
        """Let one thing happen, or time pass.

        Raises:
            NothingToPickError: There is nothing that it could happen to.
        """
        if name in TIMES:
            self.sandbox.advance(seconds=TIMES[name].total_seconds())
        else:
            {**self.api.mutations, **self.api.chores}[name](self.sandbox.world, choice)

    def change(self, name: str, value: Any) -> None:
        """Change a setting, the clock of the tap's machine, or the state."""
        if name == WRONG_BY:
            self.wrong_by = value
        elif name == STATE:
            kinds = {"lost": self.runner.forget, "of another make": self.runner.age_state}
            kinds.get(value, self.runner.put_state_ahead)()
        elif name == "start_date" and value is not None:
            self.settings[name] = (self.sandbox.world.now + timedelta(days=value)).isoformat()
        else:
            self.settings[name] = value

    def sync(self, *, judged: bool = True, select: Any = None, **how: Any) -> None:
        """A run, and the comparison: also of what a run that broke off says it has read."""
        self.runner.select = select or (lambda _name, default: default)
        self.run(**how)
        run = self.runner.runs.last
        self.lived[KILLED] += run is not None and not run.whole
        self.judged(compared=judged)

    def judged(self, *, compared: bool = True) -> None:
        """Remember what is true after a run, and compare what it has read whole."""
        run = self.runner.runs.last
        assert run is not None
        self.clock.wait_until(self.clock.monotonic() + 1)
        self.judge.note(self.api.judged())
        if compared:
            verdict = self.judge.verdict(self.runner, run.read)
            assert verdict == {}, verdict

    def run(self, **how: Any) -> None:
        """A run, at whatever time this machine shows."""
        machine = SimpleNamespace(time=lambda: _MACHINE + self.clock.monotonic() + 3600 * self.wrong_by)
        with mock.patch("singer_sdk.plugin_base.time", machine):
            tap = self.runner.sync(**(self.settings | how))
        self.lived[ODD] += sum(values.total() for values in tap.odd_values.values())

    def misled(self) -> None:
        """A run whose paging goes wrong, and the comparison: whole, or an error that has dropped nothing."""
        try:
            if run_misled(self.api, self.sandbox, self.runner, self.sync):
                self.judged()
        finally:
            self.sandbox.signals.clear()


def settle(world: World) -> None:
    """Have nothing happen by chance any more, and few people and event types: each costs requests in every run."""
    world.rest()
    for membership in list(world.memberships.values()):
        if membership.person not in world.seats.values():
            world.remove_member(membership)
    for kind in world.bookable()[6:]:
        world.delete_event_type(kind)


def search(api: Api, told: Collection[str] = ()) -> None:
    """Search 200 histories of an API for one that breaks the promise, the same each time; shrink what is found.

    Every act must have happened in one of them, or its rule is a dead letter. Everything that the tap's page lists must
    have been met, but for what histories that are `told` meet: else nobody knows that it is so.
    """
    histories = history_of(api)
    for number in range(ROUNDS):
        run_state_machine_as_test(seed(number)(histories), settings=SEARCH)
    assert {*api.mutations, *api.chores} - histories.happened.keys() == set()
    assert {one.what for one in api.unseen} - histories.explained.keys() - {*told} == set()
    too_few = {what: lived for what, least in LEAST.items() if (lived := histories.lived[what]) < least}
    assert too_few == {}, too_few


def sample(api: Api) -> None:
    """Search 10 other histories."""
    run_state_machine_as_test(seed(ROUNDS)(history_of(api)), settings=settings(SEARCH, max_examples=10))


def soak(api: Api, seconds: float) -> None:
    """Search for so long, in other histories each time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run_state_machine_as_test(history_of(api), settings=settings(SEARCH, derandomize=False))


@contextmanager
def scripted(api: Api) -> Iterator[History]:
    """A history that is told by hand; it ends with a run."""
    history = history_of(api)()
    try:
        yield history
    finally:
        history.teardown()


def unseen(api: Api, beginning: str) -> str:
    """Return the known gap of a tap whose sentence begins so."""
    [found] = [one.what for one in api.unseen if one.what.startswith(beginning)]
    return found


def history_of(kind: Api) -> type[History]:
    """The histories of one API, as a test case's state machine."""
    names = st.one_of(
        *(st.sampled_from(list(some)) for some in (kind.mutations, kind.mutations, TIMES, kind.chores) if some)
    )
    several = st.lists(st.tuples(names, st.integers(0, 5)), min_size=2, max_size=10).map(tuple)
    default = kind.default_streams()
    others = [name for name in kind.judged() if name not in default]
    at_a_state = st.builds(Killed, st.integers(0, 5), st.one_of(st.integers(1, 3), st.integers(1, 8)))
    killed = st.one_of(st.builds(Killed, st.integers(0, 30)), st.builds(Killed, st.integers(0, 200)), at_a_state)
    request = st.one_of(st.integers(0, 8), st.integers(0, 30))
    meanwhile = st.builds(Meanwhile, request, several, st.one_of(st.none(), killed))
    interrupted = st.one_of(killed, meanwhile)
    wrong = st.sampled_from([what for what in misleading(kind.name) if what not in ALONE])
    ignored = st.frozensets(st.sampled_from(IGNORED[kind.name]), min_size=1)
    misled = st.one_of(st.builds(Misled, wrong, st.sampled_from(PLACES)), st.builds(Unfiltered, ignored))
    some = st.frozensets(st.sampled_from(default), max_size=len(default) - 1)
    more = st.frozensets(st.sampled_from(others), max_size=2)
    faulty = st.builds(Faultily, st.integers(0, 1000))
    otherwise = st.one_of(faulty, faulty, st.builds(Partly, some, more), st.just(Anew()), st.just(InFull()))
    values = {name: st.sampled_from(some) for name, some in {**SETTINGS, **kind.settings}.items()}
    any_change = st.one_of(*(st.tuples(st.just(name), some) for name, some in values.items()))
    at_first = st.one_of(st.just(How()), at_a_state, at_a_state, killed, meanwhile)
    chosen = st.fixed_dictionaries({name: values[name] for name in kind.settings})
    switches = st.fixed_dictionaries({name: st.sampled_from(some) for name, some in kind.switches.items()})

    class OfOne(History):
        api: ClassVar[Api] = kind
        happened: ClassVar[Counter[str]] = Counter()
        explained: ClassVar[Counter[str]] = Counter()
        lived: ClassVar[Counter[str]] = Counter()

        @initialize(switches=switches, chosen=chosen, before=st.sampled_from(kind.before), what=several, how=at_first)
        def begins(
            self,
            switches: Mapping[str, Any],
            chosen: Mapping[str, Any],
            before: tuple[Mutation, ...],
            what: tuple[Mutation, ...],
            how: How,
        ) -> None:
            for name, value in switches.items():
                setattr(getattr(self.sandbox, kind.name), name, value)
            self.happen((*before, *what))
            for name, value in chosen.items():
                self.change(name, value)
            how.run(self)

        @rule(what=several)
        def lives_and_is_read(self, what: tuple[Mutation, ...]) -> None:
            self.happen(what)
            self.sync()

        @rule(what=several, how=interrupted)
        def lives_and_is_interrupted(self, what: tuple[Mutation, ...], how: How) -> None:
            self.happen(what)
            how.run(self)

        @rule(what=several, how=misled)
        def lives_and_is_misled(self, what: tuple[Mutation, ...], how: How) -> None:
            self.happen(what)
            how.run(self)

        @rule(what=several, how=otherwise)
        def lives_and_is_read_otherwise(self, what: tuple[Mutation, ...], how: How) -> None:
            self.happen(what)
            how.run(self)

        @rule(setting=any_change)
        def changes(self, setting: tuple[str, Any]) -> None:
            self.change(*setting)

    OfOne.__name__ = OfOne.__qualname__ = f"{kind.name.capitalize()}History"
    return OfOne
