"""Transcripts of meetings, in each form that Calendly may send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_common.http.json import decoded

if TYPE_CHECKING:
    import requests


def transcript(response: requests.Response) -> Any:
    """Return the transcript in a response: the content of `{"resource": …}`, other JSON, or text; None if it is empty.

    Calendly documents text, and an envelope without the shape of its content.

    Raises:
        ValueError: It is none of these, but an HTML page or incomplete JSON.
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
    # A plain text such as "2026" is not a number.
    return page if isinstance(page, list) or ("json" in kind and isinstance(page, str)) else text
