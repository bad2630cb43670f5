"""The endpoints of users, organizations, memberships, invitations, groups and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.calendly.listing import Listing, Ordered
from sandbox.calendly.refusals import denied, invalid, not_found
from sandbox.calendly.request import GROUP, ORGANIZATION, USER, Endpoint, Param, one_of, reference, sort_by
from sandbox.calendly.text import API, brief, maybe, stamp, uri, user_uri
from sandbox.world import records as r

if TYPE_CHECKING:
    from sandbox.calendly.request import Call
    from sandbox.http import Row


def user(person: r.Person) -> Row:
    """Return a user as embedded in other objects."""
    return {
        "uri": user_uri(person),
        "name": person.name,
        "slug": person.slug,
        "email": person.email,
        "scheduling_url": f"https://calendly.com/{person.slug}",
        "timezone": person.timezone,
        "avatar_url": person.avatar_url,
        "locale": person.locale,
        "time_notation": person.time_notation,
        "created_at": stamp(person.created_at),
        "updated_at": stamp(person.updated_at),
    }


def whole_user(call: Call, person: r.Person) -> Row:
    """Return a user in full."""
    organization = uri("organizations", call.world.organization)
    return {**user(person), "current_organization": organization, "resource_type": "User"}


def membership(call: Call, record: r.Membership) -> Row:
    """Return a membership."""
    return {
        "uri": uri("organization_memberships", record),
        "role": record.role,
        "user": user(record.person),
        "organization": uri("organizations", call.world.organization),
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def invitation(call: Call, record: r.Invitation) -> Row:
    """Return an invitation; it has `user` once it is accepted."""
    organization = uri("organizations", call.world.organization)
    row = {
        "uri": f"{organization}/invitations/{record.id}",
        "organization": organization,
        "email": record.email,
        "status": record.status,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
        "last_sent_at": maybe(record.last_sent_at),
    }
    return row | ({"user": user_uri(record.person)} if record.person else {})


def group(call: Call, record: r.Group) -> Row:
    """Return a group."""
    places = call.world.group_places.values()
    return {
        "uri": uri("groups", record),
        "name": record.name,
        "organization": uri("organizations", call.world.organization),
        "member_count": sum(place.group is record for place in places),
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def group_relationship(call: Call, record: r.GroupPlace) -> Row:
    """Return a place in a group, with its owner in full."""
    holder = record.holder
    if isinstance(holder, r.Membership):
        owner = {"type": "OrganizationMembership", **membership(call, holder)}
    else:
        owner = {"type": "OrganizationInvitation", **invitation(call, holder)}
    return {
        "uri": uri("group_relationships", record),
        "role": record.role,
        "group": uri("groups", record.group),
        "organization": uri("organizations", call.world.organization),
        "owner": owner,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def team(record: r.Team) -> Row:
    """Return a team. Calendly's field list has not been seen: this one is plausible."""
    return {
        "uri": uri("teams", record),
        "name": record.name,
        "scheduling_url": f"https://calendly.com/{record.slug}",
        "created_at": brief(record.created_at),
        "updated_at": brief(record.updated_at),
    }


def read_me(call: Call) -> Row:
    """Return the caller's own user."""
    return whole_user(call, call.person)


def read_user(call: Call) -> Row:
    """Return one user (Calendly: only of the caller's organization)."""
    person = call.world.people.get(call.path["uuid"])
    if person is None:
        raise not_found()
    if not any(one.person is person for one in call.world.memberships.values()):
        raise denied("This user is not in your organization")
    return whole_user(call, person)


def read_organization(call: Call) -> Row:
    """Return the caller's organization (Calendly: any other is refused)."""
    if call.path["uuid"] != call.world.organization.id:
        raise denied()
    record = call.world.organization
    return {
        "uri": uri("organizations", record),
        "name": record.name,
        "plan": call.api.plan,
        "stage": "free" if call.api.plan == "free" else "paid",
        "kind": "multiple",
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def list_memberships(call: Call) -> Listing:
    """List memberships (Calendly: of the organization for admins, by `user` one's own for everybody)."""
    args = call.args
    user = args.get("user")
    if user is None or user.id != call.person.id:
        if user is None and "organization" not in args:
            raise invalid("organization", "is missing")
        call.as_admin()
    call.own_organization()

    def keep(record: r.Membership) -> bool:
        return (
            (user is None or record.person.id == user.id)
            and args.get("email") in {None, record.person.email}
            and args.get("role") in {None, record.role}
        )

    ordered = call.api.ordered("memberships", "created_at")
    return Listing(ordered, lambda record: membership(call, record), keep)


def read_membership(call: Call) -> Row:
    """Return one membership (Calendly: others' only for admins)."""
    record = call.world.memberships.get(call.path["uuid"])
    if record is None:
        raise not_found()
    if record.person is not call.person and not call.key.admin:
        raise denied()
    return membership(call, record)


def list_invitations(call: Call) -> Listing:
    """List the organization's invitations (Calendly: admins only, oldest first by default)."""
    if call.path["uuid"] != call.world.organization.id or not call.key.admin:
        raise denied()
    args = call.args
    _, descending = args.get("sort", ("created_at", False))

    def keep(record: r.Invitation) -> bool:
        return args.get("email") in {None, record.email} and args.get("status") in {None, record.status}

    ordered = call.api.ordered("invitations", "created_at")
    return Listing(ordered, lambda record: invitation(call, record), keep, descending)


def led_groups(call: Call) -> set[str]:
    """Return the ids of the groups that the caller administers."""
    places = call.world.group_places.values()
    return {
        place.group.id
        for place in places
        if place.role == "admin" and isinstance(place.holder, r.Membership) and place.holder.person is call.person
    }


def list_groups(call: Call) -> Listing:
    """List groups: all for an admin, the administered ones for a group admin."""
    call.own_organization()
    led = led_groups(call)
    if not (call.key.admin or led):
        raise denied()
    ordered = call.api.ordered("groups", "created_at")
    return Listing(ordered, lambda record: group(call, record), lambda one: call.key.admin or one.id in led)


def list_group_relationships(call: Call) -> Listing:
    """List places in groups, filtered by organization, owner or group."""
    call.own_organization()
    led, wanted, owner = led_groups(call), call.args.get("group"), call.args.get("owner")
    if not (call.key.admin or led):
        raise denied()

    def keep(record: r.GroupPlace) -> bool:
        return (
            (call.key.admin or record.group.id in led)
            and (wanted is None or record.group.id == wanted.id)
            and (owner is None or record.holder.id == owner.id)
        )

    ordered = call.api.ordered("group_places", "created_at")
    return Listing(ordered, lambda record: group_relationship(call, record), keep)


def list_teams(call: Call) -> Listing:
    """List teams, optionally of one `user` (Calendly: no organization parameter)."""
    person = call.member() if "user" in call.args else None
    ordered = Ordered.by("created_at", call.world.teams.values())
    return Listing(ordered, team, lambda record: person is None or person in record.people)


def owner_reference(text: str) -> Any:
    """Parse the address of a membership or of an invitation."""
    kind = "organization_memberships" if text.startswith(f"{API}/organization_memberships/") else None
    return reference(kind or "organizations/[A-Za-z0-9_-]+/invitations")(text)


ENDPOINTS = (
    Endpoint("api_user", "/users/me", "users:read", read_me),
    Endpoint("user", "/users/{uuid}", "users:read", read_user),
    Endpoint("organization", "/organizations/{uuid}", "organizations:read", read_organization),
    Endpoint(
        "organization_memberships",
        "/organization_memberships",
        "organizations:read",
        list_memberships,
        {
            "organization": Param(ORGANIZATION),
            "user": Param(USER),
            "email": Param(str),
            "role": Param(one_of("owner", "admin", "user")),
        },
        paged=True,
    ),
    Endpoint(
        "organization_membership",
        "/organization_memberships/{uuid}",
        "organizations:read",
        read_membership,
        rows="organization_memberships",
    ),
    Endpoint(
        "organization_invitations",
        "/organizations/{uuid}/invitations",
        "organizations:read",
        list_invitations,
        {
            "email": Param(str),
            "status": Param(one_of("pending", "accepted", "declined")),
            "sort": Param(sort_by("created_at")),
        },
        paged=True,
    ),
    Endpoint(
        "groups",
        "/groups",
        "groups:read",
        list_groups,
        {"organization": Param(ORGANIZATION, required=True)},
        paged=True,
        plan="standard",
    ),
    Endpoint(
        "group_relationships",
        "/group_relationships",
        "groups:read",
        list_group_relationships,
        {"organization": Param(ORGANIZATION), "owner": Param(owner_reference), "group": Param(GROUP)},
        paged=True,
        plan="standard",
    ),
    Endpoint("teams", "/teams", "organizations:read", list_teams, {"user": Param(USER)}, paged=True),
)
