"""Members of the organization, invitations, groups, teams, opening hours."""

from __future__ import annotations

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.state import State, change


class People(State):
    """Changes of members, invitations, groups and teams."""

    def _owner(self) -> r.Person:
        return self.seats["owner"]

    @change
    def add_member(self, name: str | None = None, role: str = "user") -> r.Membership:
        """Add a member, with opening hours and a meeting room."""
        name = name or f"{self.pick(words.FIRST_NAMES)} {self.pick(words.LAST_NAMES)}"
        number = len(self.people) + 1
        person = self.new(
            r.Person,
            name=name,
            slug=f"host-{number}",
            email=f"host{number}@sandbox.example",
            timezone=self.pick(words.ZONES),
            avatar_url=f"https://img.example/{number}.png" if self.chance(0.5) else None,
            locale=self.pick(words.LOCALES),
            time_notation=self.pick(("12h", "24h")),
        )
        self.people[person.id] = person
        self.seats.setdefault("owner", person)
        membership = self.new(r.Membership, person=person, role=role)
        self.memberships[membership.id] = membership
        hours = {day: [("09:00", "12:30"), ("13:30", "17:00")] for day in ("mon", "tue", "wed", "thu")}
        hours |= {"fri": [("09:00", "15:00")], "sat": [], "sun": []}
        schedule = self.new(
            r.Schedule,
            name="Working hours" if self.chance(0.8) else "Öffnungszeiten",
            person=person,
            default=True,
            hours=hours,
            dates={"2026-12-24": []} if self.chance(0.4) else {},
        )
        self.schedules[schedule.id] = schedule
        place = self.new(
            r.SavedPlace,
            person=person,
            place=r.Place(self.pick(words.PLACES), text=self.pick(("Room 1, Straße 5", None))),
            default=True,
        )
        self.saved_places[place.id] = place
        self.record(self._owner(), "User", "Add", email=person.email, role=role)
        return membership

    @change
    def edit_person(self, person: r.Person, /, **changes: str | None) -> None:
        """Edit a person's profile; the membership's update time does not move."""
        for field, value in changes.items():
            setattr(person, field, value)
        person.updated_at = self.now

    @change
    def set_role(self, membership: r.Membership, role: str) -> None:
        """Change a member's role."""
        membership.role = role
        membership.updated_at = self.now
        self.record(self._owner(), "User", "UpdateRole", email=membership.person.email, role=role)

    @change
    def remove_member(self, membership: r.Membership) -> None:
        """Remove a member: the membership vanishes, past and future meetings stay.

        Raises:
            ValueError: an API key belongs to this person.
        """
        if membership.person in self.seats.values():
            raise ValueError(f"{membership.person.slug} owns an API key and cannot leave")
        del self.memberships[membership.id]
        for place in [place for place in self.group_places.values() if place.holder is membership]:
            del self.group_places[place.id]
        for event_type in self.event_types.values():
            if event_type.owner is membership.person and event_type.active:
                event_type.active = False
                event_type.updated_at = self.now
        self.record(self._owner(), "User", "Remove", email=membership.person.email)

    @change
    def invite(self, email: str | None = None) -> r.Invitation:
        """Invite somebody into the organization."""
        email = email or f"newcomer{len(self.log)}@sandbox.example"
        sent = self.now if self.chance(0.8) else None
        invitation = self.new(r.Invitation, email=email, status="pending", last_sent_at=sent)
        self.invitations[invitation.id] = invitation
        self.record(self._owner(), "Invitation", "Send", email=email)
        return invitation

    @change
    def accept_invitation(self, invitation: r.Invitation) -> r.Membership:
        """Accept an invitation."""
        membership = self.add_member()
        invitation.status = "accepted"
        invitation.person = membership.person
        invitation.updated_at = self.now
        for place in self.group_places.values():
            if place.holder is invitation:
                place.holder = membership
                place.updated_at = self.now
        return membership

    @change
    def decline_invitation(self, invitation: r.Invitation) -> None:
        """Decline an invitation."""
        invitation.status = "declined"
        invitation.updated_at = self.now

    @change
    def revoke_invitation(self, invitation: r.Invitation) -> None:
        """Revoke an invitation: it vanishes, with its place in a group."""
        del self.invitations[invitation.id]
        for place in [place for place in self.group_places.values() if place.holder is invitation]:
            del self.group_places[place.id]
        self.record(self._owner(), "Invitation", "Revoke", email=invitation.email)

    @change
    def create_group(self, name: str) -> r.Group:
        """Create a group."""
        group = self.new(r.Group, name=name)
        self.groups[group.id] = group
        self.record(self._owner(), "Group", "Create", name=name)
        return group

    @change
    def delete_group(self, group: r.Group) -> None:
        """Delete a group and every place in it, without a trace."""
        del self.groups[group.id]
        for place in [place for place in self.group_places.values() if place.group is group]:
            del self.group_places[place.id]
        self.record(self._owner(), "Group", "Delete", name=group.name)

    @change
    def add_to_group(self, group: r.Group, holder: r.Membership | r.Invitation, role: str = "member") -> r.GroupPlace:
        """Add a member or an invitation to a group."""
        place = self.new(r.GroupPlace, group=group, role=role, holder=holder)
        self.group_places[place.id] = place
        group.updated_at = self.now
        self.record(self._owner(), "Group", "AddMember", name=group.name)
        return place

    @change
    def remove_from_group(self, place: r.GroupPlace) -> None:
        """Remove a place from a group."""
        del self.group_places[place.id]
        place.group.updated_at = self.now
        self.record(self._owner(), "Group", "RemoveMember", name=place.group.name)

    @change
    def create_team(self, name: str, people: list[r.Person]) -> r.Team:
        """Create a team of people who share event types."""
        team = self.new(r.Team, name=name, slug=f"team-{len(self.teams) + 1}", people=people)
        self.teams[team.id] = team
        return team

    @change
    def delete_team(self, team: r.Team) -> None:
        """Delete a team, without a trace.

        Raises:
            ValueError: an event type refers to the team.
        """
        if any(kind.owner is team for kind in self.event_types.values()):
            raise ValueError(f"{team.slug} owns event types and cannot be deleted")
        del self.teams[team.id]

    @change
    def set_hours(self, schedule: r.Schedule, day: str, spans: list[tuple[str, str]]) -> None:
        """Set the opening hours of a single day (YYYY-MM-DD) as pairs of times; none for a day off."""
        schedule.dates[day] = spans
        schedule.updated_at = self.now
