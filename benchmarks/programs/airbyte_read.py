"""airbyte-cdk with a declarative manifest, run as a connector's `read`.

Options (JSON, the one argument): `url`, `work` (calendly, flat or nested), `folder` (config, catalog and state),
`concurrency`, `limit` and `window` (calls in so many seconds: an `api_budget`), `cursor` (for second runs: updated_at
or start_time), `state` (file with the state of an earlier run).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

options: dict[str, Any] = json.loads(sys.argv[1])
SCHEMAS: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text())
FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def stream(name: str, path: str, key: str, schema: str, **more: Any) -> dict[str, Any]:
    """A list that is paged along a cursor."""
    retriever: dict[str, Any] = {
        "type": "SimpleRetriever",
        "requester": {
            "type": "HttpRequester",
            "url_base": options["url"],
            "path": path,
            "http_method": "GET",
            "authenticator": {"type": "BearerAuthenticator", "api_token": "key"},
            "request_parameters": {"count": "100"},
            "error_handler": {
                "type": "DefaultErrorHandler",
                "max_retries": 20,
                "backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "Retry-After"}],
            },
        },
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": ["collection"]},
        },
        "paginator": {
            "type": "DefaultPaginator",
            "page_token_option": {
                "type": "RequestOption",
                "field_name": "page_token",
                "inject_into": "request_parameter",
            },
            "pagination_strategy": {
                "type": "CursorPagination",
                "cursor_value": "{{ response['pagination']['next_page_token'] }}",
                "stop_condition": "{{ not response['pagination']['next_page_token'] }}",
            },
        },
    }
    if "partition_router" in more:
        retriever["partition_router"] = more.pop("partition_router")
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": [key],
        "retriever": retriever,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMAS[schema]},
        **more,
    }


def incremental() -> dict[str, Any]:
    """A cursor: by the start of the meeting, which the API filters by, or by its change, which it does not."""
    sync: dict[str, Any] = {
        "type": "DatetimeBasedCursor",
        "cursor_field": options["cursor"],
        "cursor_datetime_formats": [FORMAT],
        "datetime_format": FORMAT,
        "start_datetime": {"type": "MinMaxDatetime", "datetime": "2000-01-01T00:00:00.000000Z"},
    }
    if options["cursor"] == "start_time":
        sync["start_time_option"] = {
            "type": "RequestOption",
            "field_name": "min_start_time",
            "inject_into": "request_parameter",
        }
    else:
        sync["is_client_side_incremental"] = True
    return sync


def streams() -> list[dict[str, Any]]:
    """The streams of the work."""
    if options["work"] != "calendly":
        return [stream("rows", "/rows", "id" if options["work"] == "flat" else "uri", options["work"])]
    more = {"incremental_sync": incremental()} if "cursor" in options else {}
    events = stream("scheduled_events", "/scheduled_events", "uri", "nested", **more)
    router = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {
                "type": "ParentStreamConfig",
                "parent_key": "uri",
                "partition_field": "event",
                "stream": events,
                "incremental_dependency": "cursor" in options,
            }
        ],
    }
    path = "/scheduled_events/{{ stream_partition['event'].split('/')[-1] }}/invitees"
    if "cursor" in options:
        # Without a cursor of its own the child would not remember its parent's.
        own = {
            "type": "DatetimeBasedCursor",
            "cursor_field": "created_at",
            "cursor_datetime_formats": [FORMAT],
            "datetime_format": FORMAT,
            "start_datetime": {"type": "MinMaxDatetime", "datetime": "2000-01-01T00:00:00.000000Z"},
        }
        more = {"incremental_sync": own}
    return [events, stream("event_invitees", path, "uri", "invitee", partition_router=router, **more)]


def manifest() -> dict[str, Any]:
    """The connector."""
    found: dict[str, Any] = {
        "type": "DeclarativeSource",
        "version": "7.39.1",
        "check": {"type": "CheckStream", "stream_names": ["rows"]},
        "streams": streams(),
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": options.get("concurrency", 1)},
    }
    if "limit" in options:
        found["api_budget"] = {
            "type": "HTTPAPIBudget",
            "ratelimit_reset_header": "X-RateLimit-Reset",
            "ratelimit_remaining_header": "X-RateLimit-Remaining",
            "policies": [
                {
                    "type": "MovingWindowCallRatePolicy",
                    "rates": [{"limit": options["limit"], "interval": f"PT{options['window']}S"}],
                    "matchers": [],
                }
            ],
        }
    return found


def main() -> None:
    """Write the files that a platform would, and read."""
    folder = Path(options["folder"])
    connector = manifest()
    mode = "incremental" if "cursor" in options else "full_refresh"
    catalog = {
        "streams": [
            {
                "stream": {
                    "name": each["name"],
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for each in connector["streams"]
        ]
    }
    (folder / "config.json").write_text("{}")
    (folder / "catalog.json").write_text(json.dumps(catalog))
    arguments = ["read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")]
    state = []
    if "state" in options:
        arguments += ["--state", options["state"]]
        state = [AirbyteStateMessageSerializer.load(each) for each in json.loads(Path(options["state"]).read_text())]
    source = ConcurrentDeclarativeSource(
        catalog=ConfiguredAirbyteCatalogSerializer.load(catalog), config={}, state=state, source_config=connector
    )
    launch(source, arguments)


if __name__ == "__main__":
    main()
