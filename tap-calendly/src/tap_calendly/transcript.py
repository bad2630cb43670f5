"""Transcripts of meetings, in each form in which Calendly may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_common.http.json import decoded

if TYPE_CHECKING:
    import requests


def transcript(response: requests.Response) -> Any:
    """The transcript of an answer: that of `{"resource": ...}`, other JSON, plain text, or None where nothing was said.

    Calendly documents text, and an envelope whose inner shape is open.

    Raises:
        ValueError: It is neither: a page of HTML, or JSON that was cut off.
    """
    text = response.content.decode("utf-8-sig", errors="replace")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not text.strip():
        return None
    try:
        page = decoded(response)
    except ValueError:
        is_json, is_html = "json" in kind, "html" in kind or text.lstrip().startswith("<")
        if is_html or (is_json and text.lstrip()[0] in '{["'):
            raise
        return text
    if isinstance(page, dict):
        if not page:
            raise ValueError("an object without a field")
        return page.get("resource", page)
    # Of plain text, "2026" is no number.
    return page if isinstance(page, list) or ("json" in kind and isinstance(page, str)) else text
