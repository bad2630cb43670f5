"""Every value of a record arrives in exactly one column, whichever way its schema says that it may be missing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from target_duckdb.flattening import Flattening

from .singer import INTEGER, TEXT, load, query, record, schema, types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = Any

NULL = {"type": "null"}
SPELLINGS: dict[str, Callable[[dict[str, Json]], Json]] = {
    "required": lambda inner: inner,
    "type list": lambda inner: inner | {"type": ["null", inner["type"]]},
    "anyOf": lambda inner: {"anyOf": [inner, NULL]},
    "anyOf, null first": lambda inner: {"anyOf": [NULL, inner]},
    "oneOf": lambda inner: {"oneOf": [inner, NULL]},
    "oneOf within anyOf": lambda inner: {"anyOf": [NULL, {"oneOf": [NULL, inner]}]},
    "both": lambda inner: {"anyOf": [inner | {"type": ["object", "null"]}, NULL]},
    "beside text": lambda inner: {"anyOf": [{"type": "string"}, inner, NULL]},
    "beside a list": lambda inner: {"oneOf": [{"type": "array"}, NULL, inner]},
    "two objects": lambda inner: {"anyOf": [inner, {"type": "object", "properties": {"z": TEXT}}]},
    "no type": lambda inner: {"properties": inner["properties"]},
}


def an_object(**properties: Json) -> Json:
    """The JSON schema of an object."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "options",
    [
        {"data_flattening_max_level": 2},
        {"data_flattening_max_level": 2, "stream_maps": {"t": {}}},
        {"flattening_enabled": True, "flattening_max_depth": 2},
    ],
)
def test_an_object_is_spread_in_whichever_way_a_schema_allows_null(
    file: Path, caplog: pytest.LogCaptureFixture, spelling: str, options: Json
) -> None:
    spelt = SPELLINGS[spelling]
    inner = spelt(an_object(q=INTEGER, tags={"type": ["null", "array"]}))
    messages = [schema("t", {"id": INTEGER, "o": spelt(an_object(z=INTEGER, p=inner))})]
    messages += [record("t", id=1, o={"z": 5, "p": {"q": 6, "tags": ["a", 1.5]}})]
    messages += [record("t", id=2, o=None), record("t", id=3), record("t", id=4, o={"z": None, "p": None})]
    load(file, messages, **options)
    columns = "id, o__z::BIGINT, o__p__q, o__p__tags"
    assert query(file, f"SELECT {columns} FROM t ORDER BY id") == [  # noqa: S608  # the test's own
        (1, 5, 6, '["a",1.5]'), (2, None, None, None), (3, None, None, None), (4, None, None, None)
    ]  # fmt: skip
    more = {"o__p__z"} if spelling == "two objects" else set()
    assert set(types(file, "t")) == {"id", "o__z", "o__p__q", "o__p__tags"} | more
    assert not [entry for entry in caplog.records if entry.levelname == "WARNING"]


def test_what_an_object_holds_beyond_its_schema_is_kept_as_json_in_a_column_of_its_own_name(file: Path) -> None:
    kinds = schema("t", {"id": INTEGER, "o": an_object(z=INTEGER, p=an_object(q=INTEGER))})
    load(file, [kinds, record("t", id=1, o={"z": 1})], data_flattening_max_level=3)
    assert list(types(file, "t")) == ["id", "o__z", "o__p__q"]
    rows = [record("t", id=2, o={"z": 2, "new": {"a": 1.5}, "p": {"q": 3, "more": [None]}})]
    rows += [record("t", id=3, o="text"), record("t", id=4, o={"p": [1]}), record("t", id=5, o={"z": 5})]
    load(file, [kinds, *rows], data_flattening_max_level=3)
    assert query(file, "SELECT id, o__z, o, o__p__q, o__p FROM t ORDER BY id") == [
        (1, 1, None, None, None),
        (2, 2, '{"new":{"a":1.5}}', 3, '{"more":[null]}'),
        (3, None, '"text"', None, None),
        (4, None, None, None, "[1]"),
        (5, 5, None, None, None),
    ]


def test_an_object_below_the_depth_is_json_and_an_object_without_properties_too(file: Path) -> None:
    kinds = schema("t", {"o": an_object(p=an_object(q=INTEGER)), "free": {"type": ["null", "object"]}, "any": {}}, ())
    load(file, [kinds, record("t", o={"p": {"q": 1}}, free={"a": {"b": 1}}, any="x")], data_flattening_max_level=1)
    assert types(file, "t") == {"o__p": "JSON", "free": "JSON", "any": "JSON"}
    assert query(file, "FROM t") == [('{"q":1}', '{"a":{"b":1}}', '"x"')]


def test_two_paths_of_one_name_have_a_column_each(file: Path) -> None:
    kinds = schema("t", {"a__b": INTEGER, "a": an_object(b=INTEGER, b__c=INTEGER), "a__b__c": INTEGER}, ())
    load(file, [kinds, record("t", a__b=1, a={"b": 2, "b__c": 3}, a__b__c=4)], data_flattening_max_level=2)
    assert query(file, "FROM t") == [(1, 2, 3, 4)]


def test_a_nested_property_can_be_the_key(file: Path) -> None:
    kinds = schema("t", {"o": an_object(id=INTEGER), "v": TEXT}, ("o__id",))
    load(file, [kinds, record("t", o={"id": 1}, v="a"), record("t", o={"id": 1}, v="b")], data_flattening_max_level=1)
    assert query(file, "SELECT o__id, v FROM t") == [(1, "b")]
    with pytest.raises(Exception, match="column `o__id`: a key property has no value"):
        load(file, [kinds, record("t", v="a")], data_flattening_max_level=1)


def test_separator_depth_and_longest_name_are_the_sdks_settings(file: Path) -> None:
    kinds = schema("t", {"some_object": an_object(some_property=an_object(q=INTEGER))}, ())
    options = {"flattening_enabled": True, "flattening_max_depth": 2, "flattening_separator": "."}
    load(file, [kinds, record("t", some_object={"some_property": {"q": 1}})], **options)
    assert list(types(file, "t")) == ["some_object.some_property.q"]
    kinds |= {"stream": "u"}
    load(file, [kinds, record("u", some_object={"some_property": {"q": 1}})], **options, flattening_max_key_length=20)
    (name,) = types(file, "u")
    assert name == "so.some_property.q"
    assert query(file, "FROM u") == [(1,)]


def test_an_unknown_property_is_told_of_and_takes_no_column_of_a_nested_one(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = schema("t", {"o": an_object(z=INTEGER)}, ())
    load(file, [kinds, record("t", o={"z": 1}, o__z=2, x=3)], data_flattening_max_level=1)
    assert query(file, "FROM t") == [(1,)]
    told = sorted(entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING")
    assert told == [f"stream `t`: property `{x}` is not in the schema, and is not loaded." for x in ("o__z", "x")]


def leaves(value: Json, depth: int, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The values of a record that are no objects to be spread, with their paths, as text."""
    if isinstance(value, dict) and depth:
        for name, item in value.items():
            yield from leaves(item, depth - 1, (*path, name))
    elif value is not None:
        yield json.dumps([path, value])


names = st.sampled_from(["a", "b", "a__b", "B", "b__", "_", "", "é"])
values = st.none() | st.booleans() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2)
objects = st.recursive(values, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=12)


def kind_of(draw: st.DrawFn, value: Json) -> Json:
    """A JSON schema for a value, or for a part of it."""
    if not isinstance(value, dict):
        return {}
    told = {name: kind_of(draw, item) for name, item in value.items() if draw(st.integers(0, 5))}
    return SPELLINGS[draw(st.sampled_from(sorted(SPELLINGS)))](an_object(**told))


@st.composite
def flattenings(draw: st.DrawFn) -> tuple[dict[str, Json], dict[str, Json], list[dict[str, Json]]]:
    """The properties of a stream, those that its records may have, and records."""
    whole = draw(st.dictionaries(names, objects, min_size=1, max_size=4))
    kinds = {name: kind_of(draw, value) for name, value in whole.items()}
    rest = draw(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(whole, objects)), max_size=4))
    return kinds, whole, [whole, *rest]


def found(row: dict[str, Json], flat: Flattening) -> Iterator[str]:
    """The leaves that the columns of a row hold."""
    places = {node.name: node.path for node in flat._root.walk()}
    for name, value in row.items():
        rest = name in flat.rests
        yield from leaves(value, 99 if rest or isinstance(value, dict) else 0, places[name])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flattenings(), st.integers(1, 4), st.sampled_from(["__", "_", ""]), st.sampled_from([255, 3]))
def test_every_leaf_arrives_in_exactly_one_column_and_nothing_else(
    drawn: tuple[dict[str, Json], Json, list[dict[str, Json]]], depth: int, separator: str, longest: int
) -> None:
    kinds, _, records = drawn
    flat = Flattening(kinds, depth, separator, longest)
    columns = [*flat.properties, *flat.rests]
    assert len(columns) == len(set(columns))
    for one in records:
        row = flat.row(one)
        assert row.keys() <= set(columns)
        assert sorted(found(row, flat)) == sorted(leaves(one, 99))


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(flattenings(), st.integers(1, 3), st.booleans())
def test_the_table_holds_every_leaf(
    drawn: tuple[dict[str, Json], Json, list[dict[str, Json]]],
    depth: int,
    maps: bool,  # noqa: FBT001  # hypothesis passes it
) -> None:
    kinds, _, records = drawn
    records = [one for one in records if one]  # the SDK's stream maps drop a record of nothing
    flat = Flattening(kinds, depth, "__", 255)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.duckdb"
        options = {"data_flattening_max_level": depth, "stream_maps": {"t": {}} if maps else {}}
        load(file, [schema("t", kinds, ()), *(record("t", **one) for one in records)], **options)
        rows = query(file, "FROM t")
    stored = [sorted(value for value in row if value is not None) for row in rows]
    held = [[value for value in flat.row(one).values() if value is not None] for one in records]
    expected = [sorted(json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in row) for row in held]
    assert sorted(stored) == sorted(expected)
