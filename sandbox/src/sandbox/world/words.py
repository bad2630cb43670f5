"""Names and texts to draw from. They never change, so that a seed always gives the same world."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada",
    "Zoë",
    "José",
    "Łukasz",
    "Søren",
    "Chloé",
    "Nguyễn",
    "Björn",
    "Şebnem",
    "Ángel",
    "İpek",
    "Marie-Claire",
    "Olena",
    "小龍",
    "Юлия",
    "Aoife",
    "Ravi",
    "Fatima",
    "Tomáš",
    "Noor",
    "Grace",
    "Linus",
    "Mei",
    "Kofi",
    "Ingrid",
    "Pablo",
    "Anaïs",
    "Dženan",
    "Hiroko",
    "Siobhán",
)
LAST_NAMES = (
    "Müller",
    "Ñandú",
    "Żółkiewski",
    "Ødegård",
    "O'Neill",
    "Nguyễn",
    "Straße",
    "García-Márquez",
    "Yılmaz",  # noqa: RUF001 -- a Turkish name has a dotless i
    "李",
    "Иванова",
    "Okafor",
    "Patel",
    "D'Angelo",
    "Novák",
    "Haddad",
    "Lindqvist",
    "Tanaka",
    "Mensah",
    "Iversen",
    "Fernández",
    "Lefèvre",
    "Begić",
    "Sato",
    "Byrne",
    "Hopper",
)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Europe/Kyiv",
    "Pacific/Auckland",
    "UTC",
)
LOCALES = ("en", "de", "fr", "es", "pt", "it", "nl", "uk")
COMPANIES = ("Ærø Marine", "Kaffee & Söhne", "Globex", 'Quote "Inc"', "Nordlys A/S", "Müßig GmbH", "株式会社空")
TITLES = ("CTO", "Chef de projet", "Head of Ops", "Ingénieure", "Buyer", "")
CITIES = (
    ("DE", "BE", "Berlin"),
    ("US", "NY", "New York"),
    ("FR", None, "Orléans"),
    ("IN", "MH", "मुंबई"),
    ("BR", "SP", "São Paulo"),
)
EVENT_NAMES = (
    "Intro call",
    "Demo — 30 min",
    "Onboarding",
    "Câfé virtuel ☕",
    "Quarterly review",
    "Support <priority>",
    "Beratung",
    "Deep dive",
    "Office hours",
    "Webinar",
    "Interview",
    "1:1 & feedback",
)
GROUP_NAMES = ("Sales", "Support", "Kundenerfolg", "R&D", "Éducation")
REASONS = ("Conflict", "Krank 🤒", "No longer needed", "", None, "Line one\nline two")
NOTES = (
    "Went well; follow up in a week.",
    "Kunde möchte ein Angebot.\n\n- Preis\n- Termin",
    "Asked about <b>exports</b> & limits",
)
QUESTIONS = (
    ("What would you like to talk about?", "text"),
    ("Phone", "phone_number"),
    ("Which products do you use?", "multi_select"),
    ("How large is your team?", "single_select"),
    ("Company", "string"),
)
CHOICES = ("Alpha", "Beta", "Gamma & co")
ANSWERS = ("Pricing, please", "", "+49 30 1234567", "Alpha\nBeta", "It's about “exports”\tand more", "42")
SOURCES = ("newsletter", "google", "linkedin", None)
PLACES = (
    "in_person",
    "host_calls",
    "guest_calls",
    "ask",
    "custom",
    "google",
    "zoom",
    "gotomeeting",
    "teams",
    "webex",
)
CALENDARS = ("google", "outlook", "exchange", "icloud", "outlook_desktop")
COLORS = ("#0069ff", "#8247f5", "#ff4f00", "#0ae8f0", "#17e885")
SENTENCES = (
    "Let us begin with the roadmap.",
    "Das klingt gut.",
    "Could you share the numbers?",
    "On se rappelle la semaine prochaine.",
    "Any objections? None.",
)
