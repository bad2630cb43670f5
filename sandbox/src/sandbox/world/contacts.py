"""The hosts' address book, its lists, notes and custom fields."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.state import State, change


class Contacts(State):
    """Changes of contacts."""

    @change
    def create_contact(
        self, owner: r.Person | None = None, name: str | None = None, email: str | None = None
    ) -> r.Contact:
        """Add a contact to a host's address book."""
        client = self.pick(self.clients)
        country, state, city = self.pick(words.CITIES)
        full = self.chance(0.7)
        contact = self.new(
            r.Contact,
            owner=owner or self.seats["owner"],
            name=name or client[0],
            emails=[email or client[1], *(["second@mail.example"] if self.chance(0.2) else [])],
            phones=["+1 555-0199"] if self.chance(0.4) else [],
            timezone=client[2] if full else None,
            job_title=self.pick(words.TITLES) if full else None,
            company=self.pick(words.COMPANIES) if full else None,
            country=country if full else None,
            state=state if full else None,
            city=city if full else None,
            linkedin="https://linkedin.example/in/x" if self.chance(0.2) else None,
            values=self._values(),
        )
        self.contacts[contact.id] = contact
        self.record(contact.owner, "Contact", "Create")
        return contact

    def _values(self) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for field in self.custom_fields.values():
            if self.chance(0.5):
                continue
            label = field.options[0]["label"] if field.options else None
            values = {
                "number": 42,
                "currency": 99.5,
                "date": "2026-03-01",
                "boolean": True,
                "tags": [label],
                "single_select": label,
            }
            drawn[field.id] = values.get(field.kind, "Tëxt")
        return drawn

    @change
    def edit_contact(self, contact: r.Contact, /, **changes: Any) -> None:
        """Edit a contact."""
        for field, value in changes.items():
            setattr(contact, field, value)
        contact.updated_at = self.now
        self.record(contact.owner, "Contact", "Update", fields=sorted(changes))

    @change
    def delete_contact(self, contact: r.Contact) -> None:
        """Delete a contact and its notes, without a trace."""
        del self.contacts[contact.id]
        for note in [note for note in self.contact_notes.values() if note.contact is contact]:
            del self.contact_notes[note.id]
        for a_list in self.contact_lists.values():
            if contact in a_list.contacts:
                a_list.contacts.remove(contact)
        self.record(contact.owner, "Contact", "Delete")

    @change
    def create_contact_list(self, owner: r.Person, name: str, *, view: bool = False) -> r.ContactList:
        """Create a list of contacts, or a computed view."""
        mine = [contact for contact in self.contacts.values() if contact.owner is owner]
        members = [] if view else mine[:5]
        a_list = self.new(r.ContactList, owner=owner, name=name, view=view, contacts=members)
        self.contact_lists[a_list.id] = a_list
        return a_list

    @change
    def add_to_list(self, a_list: r.ContactList, contact: r.Contact) -> None:
        """Add a contact to a list."""
        a_list.contacts.append(contact)
        a_list.updated_at = self.now

    @change
    def write_contact_note(self, contact: r.Contact, author: r.Person, body: str | None = None) -> r.ContactNote:
        """Write a note about a contact, which only its author sees."""
        note = self.new(
            r.ContactNote,
            author=author,
            contact=contact,
            title=self.pick(("", "Call back", "Geburtstag 🎂")),
            body=body or self.pick(words.NOTES),
            remind_at=self.now + timedelta(days=7) if self.chance(0.3) else None,
        )
        self.contact_notes[note.id] = note
        return note

    @change
    def edit_contact_note(self, note: r.ContactNote, body: str) -> None:
        """Edit a note."""
        note.body = body
        note.updated_at = self.now

    @change
    def define_custom_field(self, label: str, kind: str) -> r.CustomField:
        """Define a custom field of the organization's contacts."""
        options = []
        if kind in {"tags", "single_select"}:
            colors = (words.COLORS[0], None, words.COLORS[1])
            pairs = zip(words.CHOICES, colors, strict=True)
            options = [{"uuid": self.new_id(), "label": choice, "color": color} for choice, color in pairs]
        currency = "EUR" if kind == "currency" else None
        field = self.new(r.CustomField, label=label, kind=kind, options=options, currency=currency)
        self.custom_fields[field.id] = field
        return field
