"""Places, questions and answers to draw from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.world import words
from sandbox.world.gatherings import records as g

if TYPE_CHECKING:
    from sandbox.world.gatherings.state import Ledger

PLACES = (
    "offline",
    "zoom",
    "offline",
    "meet",
    "youtube",
    "offline",
    "twitch",
    "discord",
    "twitter",
    "missing",
    "unknown",
)
"""Kinds of places, in the order in which events get them; the last two have neither address nor link."""
ONLINE = frozenset({"zoom", "meet", "youtube", "twitch", "discord", "twitter"})
VENUES = (
    ("Alte Münze", "Molkenmarkt 2", "Berlin", "Berlin", "Germany", 52.5147, 13.4094),
    ("Café Orléans", "1 Rue Jeanne d'Arc", "Orléans", None, "France", 47.9029, 1.9093),
    ("The “Loft”", "20 W 34th St", "New York", "New York", "United States", 40.7484, -73.9857),
    ("Casa São Jorge", "Av. Paulista 1000", "São Paulo", "SP", "Brazil", -23.5646, -46.6527),
)
TITLES = (
    "Frühlingsfest",
    "Rust & Coffee ☕",
    "Founders' Breakfast",
    "Soirée data",
    "Open Mic <live>",
    "Town Hall",
    "読書会",
    "Winter School",
    "Hack Night",
    "Vernissage",
)
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("company", "Where do you work?", {"collect_job_title": True, "job_title_label": "Job title"}),
    ("agree-check", "I agree to be photographed", {}),
    ("dropdown", "T-shirt", {"options": ["S", "M", "L & XL"]}),
    ("multi-select", "Which tracks?", {"options": list(words.CHOICES), "multiple": True}),
    ("long-text", "What do you hope for?", {"multiline": True}),
    (
        "terms",
        "House rules",
        {
            "terms": {
                "content_type": "text",
                "content_md": "Be *kind*.",
                "collect_signature": True,
                "require_review": True,
            }
        },
    ),
    (
        "terms",
        "Privacy",
        {"terms": {"content_type": "link", "url": "https://rules.example", "collect_signature": False}},
    ),
    ("text", "Anything else?", {"source": {"type": "calendar", "calendar_api_id": "cal-example"}}),
    ("phone-number", "Phone", {}),
    ("github", "GitHub", {}),
    ("instagram", "Instagram", {}),
    ("linkedin", "LinkedIn", {}),
    ("telegram", "Telegram", {}),
    ("twitter", "X", {}),
    ("url", "Website", {}),
    ("youtube", "YouTube", {}),
)
"""Every kind of question: kind, label, what only this kind has."""


def draw_place(ledger: Ledger, kind: str) -> dict[str, Any]:
    """Return the location fields of an event."""
    link = f"https://{kind}.example/j/{ledger.random.randrange(10**9)}" if kind in ONLINE else None
    fields: dict[str, Any] = {"place_kind": kind, "meeting_url": link}
    if kind == "offline":
        name, street, city, region, country, latitude, longitude = ledger.pick(VENUES)
        fields["address"] = {
            "address": name,
            "street": street,
            "city": city,
            "region": region,
            "country": country,
            "note": ledger.pick(("Ring twice", None)),
        }
        fields["coordinate"] = (latitude, longitude)
    return fields


def draw_questions(ledger: Ledger, count: int) -> list[g.Question]:
    """Return the first questions, in order."""
    return [
        g.Question(id=ledger.new_id(), label=label, kind=kind, required=number % 2 == 0, details=details)
        for number, (kind, label, details) in enumerate(QUESTIONS[:count])
    ]


def draw_answers(ledger: Ledger, questions: list[g.Question]) -> list[g.Answer] | None:
    """Return answers to some of the questions; None if there are no questions."""
    if not questions:
        return None
    return [g.Answer(question, draw_value(ledger, question)) for question in questions]


def draw_value(ledger: Ledger, question: g.Question) -> Any:
    """Return an answer of the type of a question's kind."""
    if question.kind == "agree-check":
        return ledger.chance(0.7)
    if not question.required and ledger.chance(0.25):
        return None
    name = f"{ledger.pick(words.FIRST_NAMES)} {ledger.pick(words.LAST_NAMES)}"
    options: list[str] = question.details.get("options", [])
    match question.kind:
        case "company":
            value: Any = {"company": ledger.pick(words.COMPANIES), "job_title": ledger.pick(words.TITLES)}
        case "multi-select":
            value = ledger.random.sample(options, k=2)
        case "terms":
            value = name if question.details["terms"]["collect_signature"] else True
        case _:
            value = ledger.pick(options or words.ANSWERS)
    return value
