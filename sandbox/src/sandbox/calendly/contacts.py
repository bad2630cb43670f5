"""The endpoints of contacts, their custom fields, lists and notes, and of saved locations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.calendly.event_types import LOCATIONS
from sandbox.calendly.listing import Listing, Ordered
from sandbox.calendly.refusals import denied, not_found
from sandbox.calendly.request import USER, Endpoint, Param, one_of, reference, sort_by
from sandbox.calendly.text import brief, is_brief, maybe, stamp, uri, user_uri

if TYPE_CHECKING:
    from sandbox.calendly.request import Call
    from sandbox.http import Row
    from sandbox.world import records as r

MOST_CONTACTS_PER_NOTES_CALL = 10
MOST_LISTS = 25


def custom_fields(call: Call, record: r.Contact) -> list[Row]:
    """Return a contact's custom fields, each with its type."""
    fields = call.world.custom_fields
    return [
        {
            "definition": uri("contacts/custom_field_definitions", fields[key]),
            "uuid": key,
            "label": fields[key].label,
            "type": fields[key].kind,
            "value": value,
        }
        for key, value in record.values.items()
    ]


def meeting_dates(call: Call, record: r.Contact) -> Row:
    """Return a contact's dates, which follow from the meetings and do not move the contact's `updated_at`."""
    now = call.world.now
    bookings = [one for email in record.emails for one in call.world.bookings_by_email.get(email, ())]
    starts = [one.meeting.start for one in bookings if one.cancellation is None]
    past = max((start for start in starts if start <= now), default=None)
    mails = [one.created_at for one in bookings]
    first, last = min(mails, default=None), max(mails, default=None)
    touched = max((moment for moment in (past, last) if moment), default=None)
    return {
        "first_email_date": maybe(first),
        "last_email_date": maybe(last),
        "next_meeting_date": maybe(min((start for start in starts if start > now), default=None)),
        "last_meeting_date": maybe(past),
        "last_interaction_date": maybe(touched),
    }


def contact(call: Call, record: r.Contact) -> Row:
    """Return a contact."""
    write = brief if is_brief(record) else stamp
    row: Row = {
        "uri": uri("contacts", record),
        "name": record.name,
        "emails": [{"email": email, "is_primary": not n} for n, email in enumerate(record.emails)],
        "phone_numbers": [{"phone_number": phone} for phone in record.phones],
        "timezone": record.timezone,
        "job_title": record.job_title,
        "company": record.company,
        "country": record.country,
        "state": record.state,
        "city": record.city,
        "linkedin": record.linkedin,
        "custom_fields": custom_fields(call, record),
        **meeting_dates(call, record),
        "created_at": write(record.created_at),
        "updated_at": write(record.updated_at),
    }
    if call.args.get("exclude") == "custom_fields":
        del row["custom_fields"]
    return row


PLAIN_FILTERS = ("timezone", "name", "job_title", "company", "country", "state", "city")


def may_see(call: Call, record: r.Contact) -> bool:
    """Return True if the caller owns a contact or is an admin."""
    return call.key.admin or record.owner is call.person


def list_contacts(call: Call) -> Listing:
    """List the contacts that the caller may see (Calendly: no organization parameter)."""
    args = call.args
    sort, descending = args.get("sort", ("created_at", False))
    a_list = call.world.contact_lists.get(args["contact_list"].id) if "contact_list" in args else None
    if "contact_list" in args and (a_list is None or a_list.owner is not call.person):
        raise not_found()

    def keep(record: r.Contact) -> bool:
        return (
            may_see(call, record)
            and all(args.get(name) in {None, getattr(record, name)} for name in PLAIN_FILTERS)
            and ("email" not in args or args["email"] in record.emails)
            and ("phone_number" not in args or args["phone_number"] in record.phones)
            and (a_list is None or a_list.view or record in a_list.contacts)
        )

    return Listing(call.api.ordered("contacts", sort), lambda record: contact(call, record), keep, descending)


def read_contact(call: Call) -> Row:
    """Return one contact."""
    record = call.world.contacts.get(call.path["uuid"])
    if record is None or not may_see(call, record):
        raise not_found()
    return contact(call, record)


def list_definitions(call: Call) -> list[Row]:
    """List the custom fields (Calendly: no parameters, one page)."""
    return [
        {
            "uri": uri("contacts/custom_field_definitions", record),
            "label": record.label,
            "field_type": record.kind,
            "options": [{k: v for k, v in option.items() if v is not None} for option in record.options],
            "currency": record.currency,
            "created_at": brief(record.created_at),
            "updated_at": brief(record.updated_at),
        }
        for record in call.world.custom_fields.values()
    ]


def list_lists(call: Call) -> list[Row]:
    """List the caller's own contact lists (Calendly: one page of at most 25, views have no count)."""
    kind = call.args.get("type")
    rows = [
        {
            "uri": uri("contact_lists", record),
            "name": record.name,
            "type": "dynamic_view" if record.view else "static_list",
            "contact_count": None if record.view else len(record.contacts),
            "created_at": brief(record.created_at),
            "updated_at": brief(record.updated_at),
        }
        for record in call.world.contact_lists.values()
        if record.owner is call.person
    ]
    return [row for row in rows if kind in {None, row["type"]}][:MOST_LISTS]


def list_notes(call: Call) -> Listing:
    """List the caller's own notes (Calendly: latest change first; 403 if one of the contacts is not accessible)."""
    ids = {one.id for one in call.args["contact"]}
    contacts = [call.world.contacts.get(key) for key in ids]
    if any(one is None or not may_see(call, one) for one in contacts):
        raise denied()
    rows = (one for one in call.world.contact_notes.values() if one.contact.id in ids)

    def shape(note: r.ContactNote) -> Row:
        return {
            "uri": uri("notes", note),
            "title": note.title,
            "body": note.body,
            "remind_at": maybe(note.remind_at),
            "contact": uri("contacts", note.contact),
            "created_at": stamp(note.created_at),
            "updated_at": stamp(note.updated_at),
        }

    own = Ordered.by("updated_at", (one for one in rows if one.author is call.person))
    return Listing(own, shape, descending=True)


def list_locations(call: Call) -> list[Row]:
    """List a user's saved places. Calendly's field list is unverified: this one is plausible."""
    person = call.member()
    return [
        {
            "uri": uri("locations", record),
            "user": user_uri(person),
            "kind": LOCATIONS[record.place.kind],
            "location": record.place.text,
            "default": record.default,
            "created_at": stamp(record.created_at),
            "updated_at": stamp(record.updated_at),
        }
        for record in call.world.saved_places.values()
        if record.person is person
    ]


CONTACT_FILTERS: dict[str, Any] = dict.fromkeys((*PLAIN_FILTERS, "email", "phone_number"), Param(str))
ENDPOINTS = (
    Endpoint(
        "contacts",
        "/contacts",
        "contacts:read",
        list_contacts,
        {
            **CONTACT_FILTERS,
            "contact_list": Param(reference("contact_lists")),
            "exclude": Param(one_of("custom_fields")),
            "sort": Param(sort_by("created_at", "updated_at")),
        },
        paged=True,
    ),
    Endpoint(
        "contact_custom_field_definitions",
        "/contacts/custom_field_definitions",
        "contacts:read",
        list_definitions,
    ),
    Endpoint("contact", "/contacts/{uuid}", "contacts:read", read_contact, rows="contacts"),
    Endpoint(
        "contact_lists",
        "/contact_lists",
        "contacts:read",
        list_lists,
        {"type": Param(one_of("static_list", "dynamic_view"))},
    ),
    Endpoint(
        "contact_notes",
        "/notes",
        "contacts:read",
        list_notes,
        {"contact": Param(reference("contacts"), required=True, commas=MOST_CONTACTS_PER_NOTES_CALL)},
        paged=True,
    ),
    Endpoint("locations", "/locations", "locations:read", list_locations, {"user": Param(USER, required=True)}),
)
