"""The customers of the sample company: made up from lists by hash, the same every time, nobody real."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from nps.core.ids import bucket

FIRST = (
    "Dana Marcus Priya Maya Owen Lena Theo Ruth Ahmed Sofia Jonas Mei Carla Felix Noor Grace Hugo Ines Jamal Kira Luis Mira Nadia Oscar Paula Quinn Rosa "
    "Samir Tessa Uma Victor Wanda Xenia Yusuf Zoe Alba Bruno Celia Dario Edith Farid Greta Henrik Iris Joana Karim Lotte Milo Nell Otto Petra Ravi Selma "
    "Tariq Ursula Vera Wren Yara Anton Bea Chidi Dora Emil Fiona Gus Hana Ivo Jules Kofi Leila Mateo Nina Orla Pavel Renata Sven Talia Umar Vito Willa"
).split()
LAST = (
    "Whitfield Bell Ferris Nowak Grant Kessler Dubois Okafor Lindqvist Marsh Tanaka Romero Haddad Novak Silva Byrne Castell Fournier Osei Petrov Quill "
    "Rahman Sato Turner Ueda Varga Weiss Yilmaz Abbott Baptiste Cohen Duarte Eklund Frost Garnier Holt Ibarra Jensen Keller Lowe Mancini Nakata Oduya "
    "Pryce Rossi Sandoval Thorne Underhill Vance Winter Yates Zhou Archer Blum Cortez Dahl Engel Fisk Gallo Hurst Ivers Joshi Kane Lund Moreau Nash"
).split()
TRADE = (
    "Bakery Dental Joinery Roasters Cycles Florists Physio Brewing Ceramics Plumbing Law Books Yoga Studio Farm Pharmacy Optics Upholstery Bindery "
    "Catering Vets Landscapes Interiors Outfitters Tiles Electric Press Kitchens Travel Boats"
).split()
PLACE = (
    "Brightoak Quayside Northgate Millbrook Elmstead Harbor Copperfield Juniper Stonebridge Fairmont Hollow Meadow Ashgrove Lantern Redwood Saltmarsh "
    "Thistle Pinehurst Greyfriars Westbank Orchard Sunnyside Larchmont Riverbend Hillcrest Bluebird Foxglove Kingfisher Maplewood Seabrook"
).split()
PLANS = ("Starter", "Starter", "Starter", "Starter", "Growth", "Growth", "Growth", "Scale", "Scale", "Partner")
REGIONS = ("Maine", "Massachusetts", "New Hampshire", "Vermont", "New York")
ZONES = ("America/New_York", "America/New_York", "America/New_York", "America/Chicago", "America/Denver")
VALUES = {"Starter": (2900, 4200), "Growth": (8400, 12000), "Scale": (21000, 42000), "Partner": (6000, 9000)}


@dataclass(frozen=True)
class Person:
    """One made-up customer. `mood` 0–99 leans their answers; value in cents a month."""

    number: int
    first: str
    last: str
    company: str
    email: str
    plan: str
    region: str
    zone: str
    value_minor: int
    since: date
    mood: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def people(count: int, today: date) -> Iterator[Person]:
    """`count` customers; names repeat rarely, addresses never; all domains end in .example."""
    for n in range(count):
        first = FIRST[bucket(f"first {n}", len(FIRST))]
        last = LAST[bucket(f"last {n}", len(LAST))]
        place, trade = PLACE[bucket(f"place {n // 2}", len(PLACE))], TRADE[bucket(f"trade {n // 2}", len(TRADE))]
        plan = PLANS[bucket(f"plan {n}", len(PLANS))]
        low, high = VALUES[plan]
        yield Person(
            number=n,
            first=first,
            last=last,
            company=f"{place} {trade}",
            email=f"{first.lower()}.{last.lower()}{n}@{place.lower()}{trade.lower()}.example",
            plan=plan,
            region=REGIONS[bucket(f"region {n}", len(REGIONS))],
            zone=ZONES[bucket(f"zone {n}", len(ZONES))],
            value_minor=low + bucket(f"value {n}", high - low),
            since=today - timedelta(days=420 + bucket(f"since {n}", 1400)),
            mood=bucket(f"mood {n}", 100),
        )
