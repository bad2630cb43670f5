"""Event types."""

from __future__ import annotations

from typing import Any

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.state import State, change

SEATS = 8


class EventTypes(State):
    """Changes of event types."""

    def bookable(self) -> list[r.EventType]:
        """Return the event types that take bookings."""
        return [kind for kind in self.event_types.values() if kind.active and kind.deleted_at is None]

    def _places(self) -> list[r.Place] | None:
        if self.chance(0.1):
            return None
        kinds = self.random.sample(words.PLACES, k=self.pick((1, 1, 2)))
        return [r.Place(kind, text="Hauptstraße 1" if kind == "in_person" else None) for kind in kinds]

    def _questions(self) -> list[dict[str, Any]]:
        drawn = self.random.sample(words.QUESTIONS, k=self.random.randrange(4))
        return [
            {
                "name": name,
                "type": kind,
                "enabled": True,
                "required": self.chance(0.3),
                "choices": list(words.CHOICES) if kind.endswith("select") else [],
                "other": kind == "multi_select",
            }
            for name, kind in drawn
        ]

    @change
    def create_event_type(
        self,
        owner: r.Person | r.Team | None = None,
        kind: str = "solo",
        name: str | None = None,
        *,
        paid: bool = False,
        one_off: bool = False,
    ) -> r.EventType:
        """Create an event type; `kind` is solo, group, round_robin or collective."""
        owner = owner or self.seats["owner"]
        number = len(self.event_types) + 1
        event_type = self.new(
            r.EventType,
            name=name or self.pick(words.EVENT_NAMES),
            slug=None if one_off else f"type-{number}",
            kind=kind,
            owner=owner,
            minutes=self.pick((15, 30, 30, 45, 60)),
            minutes_options=self.pick((None, None, [], [15, 30, 60])),
            seats=SEATS if kind == "group" else 1,
            one_off=one_off,
            booking_method="poll" if one_off and self.chance(0.5) else "instant",
            color=self.pick(words.COLORS),
            internal_note=self.pick((None, None, "", "für intern")),
            description=self.pick((None, "", "Half an hour about\nyour plans & ours", "☕ <casual>")),
            secret=self.chance(0.1),
            admin_managed=self.chance(0.2),
            paid=paid,
            locale=self.pick(words.LOCALES),
            position=number - 1,
            places=self._places(),
            questions=self._questions(),
        )
        people = owner.people if isinstance(owner, r.Team) else [owner]
        event_type.hosts = [self.new(r.Host, event_type=event_type, person=person) for person in people]
        self.event_types[event_type.id] = event_type
        self.record(people[0], "EventType", "Create", name=event_type.name)
        return event_type

    @change
    def edit_event_type(self, event_type: r.EventType, /, **changes: Any) -> None:
        """Edit an event type."""
        for field, value in changes.items():
            setattr(event_type, field, value)
        event_type.updated_at = self.now
        self.record(event_type.hosts[0].person, "EventType", "Update", name=event_type.name, fields=sorted(changes))

    @change
    def add_host(self, event_type: r.EventType, person: r.Person) -> r.Host:
        """Add a host; the event type's own update time does not move."""
        host = self.new(r.Host, event_type=event_type, person=person)
        event_type.hosts.append(host)
        return host

    @change
    def delete_event_type(self, event_type: r.EventType) -> None:
        """Delete an event type softly: it leaves the list and stays readable by id."""
        event_type.deleted_at = event_type.updated_at = self.now
        event_type.active = False
        self.record(event_type.hosts[0].person, "EventType", "Delete", name=event_type.name)
