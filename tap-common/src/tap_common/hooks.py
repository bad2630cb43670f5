"""Hooks of the SDK that have no effect on a stream of this framework."""

from __future__ import annotations

from typing import Any

_INSTEAD = {
    "partitions": "contexts() returns a context for each list to read",
    "get_child_context": "parent_keys declares the parent columns in a child's contexts",
    "generate_child_contexts": "should_sync_parent() selects the parents of a child",
    "post_process": "transform_record() changes a row of the API",
    "get_next_page_token": "paginator_class, or get_new_paginator() for one that needs arguments",
    "backoff_wait_generator": "the settings max_retries and backoff_factor",
    "backoff_max_tries": "the setting max_retries",
    "backoff_jitter": "the settings max_retries and backoff_factor",
    "backoff_handler": "http/retry.py logs each retry",
    "backoff_runtime": "the settings max_retries and backoff_factor",
}
"""Hooks that are never called, or would be called twice, with their replacement."""


def refuse_dead_hooks(stream: type[Any]) -> None:
    """Refuse a stream class that defines a hook without effect.

    Raises:
        TypeError: The class defines one; the message names its replacement.
    """
    for name, instead in _INSTEAD.items():
        if name in vars(stream):
            raise TypeError(f"{stream.__name__}.{name} has no effect here. Instead: {instead}.")
