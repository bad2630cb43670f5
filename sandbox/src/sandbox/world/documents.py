"""Forms and their submissions, recaps, messages, webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.meetings import Meetings
from sandbox.world.state import change

if TYPE_CHECKING:
    from datetime import datetime

QUESTIONS = (
    ("Name", "name"),
    ("Email", "email"),
    ("Company size", "select"),
    ("Tell us more", "textarea"),
    ("Phone", "phone"),
    ("Plan", "radios"),
)


class Documents(Meetings):
    """Changes of forms, recaps, messages and webhooks."""

    @change
    def create_form(self, name: str, status: str = "published") -> r.Form:
        """Publish or draft a routing form."""
        questions = [
            {
                "uuid": self.new_id(),
                "name": name_,
                "type": kind,
                "required": self.chance(0.5),
                "choices": list(words.CHOICES) if kind in {"select", "radios"} else None,
            }
            for name_, kind in QUESTIONS
        ]
        form = self.new(r.Form, name=name, status=status, questions=questions)
        self.forms[form.id] = form
        self.record(self.seats["owner"], "RoutingForm", "Create", name=name)
        return form

    @change
    def submit_form(self, form: r.Form | None = None) -> r.Submission:
        """Submit a form; a booking made from the submission becomes its submitter."""
        form = form or self.pick([form for form in self.forms.values() if form.status == "published"])
        results: tuple[r.EventType | str | tuple[str, str], ...] = (
            self.pick(self.bookable()),
            "https://example.com/merci",
            ("Thank you", "We will call you back."),
        )
        (result,) = self.random.choices(results, weights=(7, 1, 2))
        answers = [
            (q["uuid"] if self.chance(0.95) else None, q["name"], self.pick((*words.ANSWERS, None)))
            for q in form.questions
        ]
        submission = self.new(r.Submission, form=form, answers=answers, tracking=self.draw_tracking(), result=result)
        self.submissions[submission.id] = submission
        return submission

    @change
    def edit_form(self, form: r.Form, /, **changes: str) -> None:
        """Edit a form."""
        for field, value in changes.items():
            setattr(form, field, value)
        form.updated_at = self.now

    @change
    def start_recap(self, meeting: r.Meeting | None = None) -> r.Recap:
        """Start the recap of a meeting that is over, or of a call without a booking."""
        recap = self.new(
            r.Recap,
            owner=meeting.hosts[0] if meeting else self.seats["owner"],
            meeting=meeting,
            title=(meeting.name if meeting else None) or "Unplanned call",
            start=meeting.start if meeting else self.now - timedelta(minutes=40),
            end=meeting.end if meeting else self.now - timedelta(minutes=10),
            status="processing",
            attendees=[booking.email for booking in meeting.active_bookings] if meeting else ["x@mail.example"],
        )
        self.recaps[recap.id] = recap
        return recap

    @change
    def finish_recap(self, recap: r.Recap, *, worked: bool = True) -> None:
        """Make a recap available, or unavailable if it did not work."""
        recap.status = "available" if worked else "unavailable"
        recap.updated_at = self.now
        if worked:
            recap.summary = "## Summary\n\n" + self.pick(words.SENTENCES)
            recap.action_items = "- [ ] " + self.pick(words.SENTENCES)
            recap.discussion = self.pick((None, "**Open**: " + self.pick(words.SENTENCES)))
            speakers = (recap.owner.name, "Guest")
            recap.transcript = [(speakers[n % 2], n * 15, self.pick(words.SENTENCES)) for n in range(6)]

    @change
    def edit_recap(self, recap: r.Recap, summary: str) -> None:
        """Rewrite a recap's summary."""
        recap.summary = summary
        recap.updated_at = self.now

    @change
    def delete_recap(self, recap: r.Recap) -> None:
        """Delete a recap and its transcript, without a trace."""
        del self.recaps[recap.id]

    @change
    def send_message(self, booking: r.Booking, kind: str = "email", sent_at: datetime | None = None) -> r.Message:
        """Send an invitee an e-mail or a text message."""
        host = booking.meeting.hosts[0]
        sms = kind == "sms"
        message = self.new(
            r.Message,
            kind=kind,
            to=(booking.phone or "+1 555-0100") if sms else booking.email,
            sender="+1 555-0000" if sms else host.email,
            subject=None if sms else f"Reminder: {booking.meeting.name or ''}",
            body=f"Hi {booking.name}, see you soon — {host.name}",
            booking=booking,
            sent_at=sent_at or self.now,
        )
        self.messages[message.id] = message
        return message

    @change
    def add_webhook(self, url: str, person: r.Person | None = None) -> r.Webhook:
        """Subscribe to changes in the organization, or of one `person`."""
        webhook = self.new(
            r.Webhook,
            url=url,
            scope="user" if person else "organization",
            person=person,
            creator=person or self.seats["owner"],
            events=["invitee.created", "invitee.canceled"],
        )
        self.webhooks[webhook.id] = webhook
        return webhook

    @change
    def disable_webhook(self, webhook: r.Webhook) -> None:
        """Disable a webhook."""
        webhook.active = False
        webhook.retry_started_at = webhook.updated_at = self.now

    @change
    def delete_webhook(self, webhook: r.Webhook) -> None:
        """Delete a webhook, without a trace."""
        del self.webhooks[webhook.id]
