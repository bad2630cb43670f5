"""The SDK's private parts that the loader touches are as `target_duckdb.sdk` takes them to be."""

from __future__ import annotations

import inspect

import pytest
from singer_sdk.helpers._flattening import FlatteningOptions
from singer_sdk.sinks import BatchSink, Sink

from target_duckdb.sdk import METADATA, flat_name
from target_duckdb.target import TargetDuckDB


@pytest.mark.parametrize(
    ("path", "separator", "longest", "name"),
    [(["a", "b"], "__", 255, "a__b"), (["a", "b"], ".", 255, "a.b"), (["someName", "other"], "__", 12, "sn__other")],
)
def test_the_name_of_a_nested_property_is_the_sdks(path: list[str], separator: str, longest: int, name: str) -> None:
    assert flat_name(path, separator, longest) == name


def test_the_sdk_flattens_by_the_options_of_its_mapper_and_ours_are_off() -> None:
    target = TargetDuckDB(config={"filepath": "x", "flattening_enabled": True, "flattening_max_depth": 2})
    assert target.flattening == (2, "__", 255)
    assert target.mapper.flattening_options == FlatteningOptions(enabled=False)
    kinds = {"properties": {"o": {"type": "object", "properties": {"z": {"type": "integer"}}}}}
    target.mapper.register_raw_stream_schema("t", kinds, [])
    (mapped,) = target.mapper.stream_maps["t"]
    assert mapped.transformed_schema == kinds
    assert mapped.transform({"o": {"z": 1}}) == {"o": {"z": 1}}


@pytest.mark.parametrize("added", [False, True])
def test_the_sdk_calls_one_of_two_methods_for_the_columns_of_a_schema_and_of_a_record(added: bool) -> None:  # noqa: FBT001  # pytest passes it by name
    called = "_add_sdc_metadata_to_schema" if added else "_remove_sdc_metadata_from_schema"
    assert called in inspect.getsource(Sink.__init__)
    for name in ("_add_sdc_metadata_to_record", "_remove_sdc_metadata_from_record"):
        assert name in inspect.getsource(TargetDuckDB.__mro__[1]._process_record_message)  # type: ignore[attr-defined]  # the SDK's Target


def test_the_columns_are_those_that_the_sdk_adds() -> None:
    class Plain(BatchSink):
        def process_batch(self, context: dict[str, object]) -> None:
            """Nothing."""

    target = TargetDuckDB(config={"filepath": "x", "add_record_metadata": True})
    sink = Plain(target, "t", {"properties": {}}, [])
    assert set(sink.schema["properties"]) == METADATA
