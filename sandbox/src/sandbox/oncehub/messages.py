"""The collections of text messages and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.oncehub.collection import Collection, Filter, buried
from sandbox.oncehub.text import ref, shown, stamp, user_ref

if TYPE_CHECKING:
    from sandbox.http import Row
    from sandbox.oncehub.switches import Switches
    from sandbox.world import records as r
    from sandbox.world.desk_records import Text

SEGMENT = 70
"""Characters in one segment of a text message outside the basic alphabet."""


def recipient(api: Switches, text: Text) -> str:
    """Return the id of a message's recipient, a contact or a user."""
    return user_ref(api.world.desk, text.person) if text.person else ref("CTC", text.card_id)


def recipient_type(text: Text) -> str:
    """Return the kind of recipient."""
    return "user" if text.person else "contact"


def show_text(api: Switches, text: Text) -> Row:
    """Show a text message; a change of its status moves no time."""
    return {
        "object": "notification",
        "id": ref("SMS", text.id),
        "type": "sms",
        "status": text.status,
        "creation_time": stamp(text.created_at, brief=text.serial % 2 == 0),
        "recipient": recipient(api, text),
        "recipient_type": recipient_type(text),
        "details": {
            "delivered_to": text.to,
            "message_body": text.body,
            "segment_count": 1 + (len(text.body) - 1) // SEGMENT,
        },
    }


def show_webhook(_: Switches, webhook: r.Webhook) -> Row:
    """Show a webhook, with its secret in clear."""
    return {
        "object": "webhook",
        "id": ref("WHK", webhook.id),
        "api_version": "v2",
        "name": f"Webhook {webhook.serial}",
        "url": webhook.url,
        "events": [f"booking.{name.partition('.')[2].replace('created', 'scheduled')}" for name in webhook.events],
        "creation_time": stamp(webhook.created_at),
        "secret": f"whsec_{webhook.serial:08d}",
    }


SMS_NOTIFICATIONS = Collection(
    name="sms_notifications",
    path="/v2/notifications/sms",
    object="notification",
    rows=lambda api: api.world.desk.texts.values(),
    ref=lambda _, text: ref("SMS", text.id),
    show=show_text,
    filters={
        "recipient": Filter(lambda api, value: lambda text: recipient(api, text) == value),
        "recipient_type": Filter(lambda _, value: lambda text: recipient_type(text) == value, ("contact", "user")),
    },
    times={"creation_time": lambda _, text: shown(text.created_at, brief=text.serial % 2 == 0)},
    references={"recipient": ("contacts", "users")},
    expands=True,
    has_more=False,
    dates=False,
)
WEBHOOKS = Collection(
    name="webhooks",
    path="/v2/webhooks",
    object="webhook",
    rows=lambda api: api.world.webhooks.values(),
    ref=lambda _, webhook: ref("WHK", webhook.id),
    show=show_webhook,
    gone=buried("webhook", "WHK"),
)
