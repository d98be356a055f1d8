"""Which column of a file is which field: from headings in eight languages, from the values, from known exports.

Guesses are proposals; the member sees them with an example and decides.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nps.contacts.rules import values
from nps.contacts.rules.fields import PROPERTY
from nps.contacts.rules.properties import KEY, RESERVED, Kind, Property, guess_kind, key_from
from nps.contacts.rules.words import plain

_LOOKS_LIKE = 0.8
_SEEN = 200
NEW = "new"
"""Target of a column that becomes a property which does not exist yet."""

# field -> headings without case, accents and signs; English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Polish
_HEADINGS: dict[str, str] = {
    "email": (
        "email|e mail|email address|e mail address|email addr|mail|mail address|work email|primary email|contact email|emailaddress|"
        "e mail adresse|emailadresse|mailadresse|mail adresse|adresse email|adresse e mail|adresse mail|courriel|adresse electronique|"
        "correo|correo electronico|direccion de correo|direccion de correo electronico|direccion email|endereco de email|"
        "endereco de e mail|endereco eletronico|indirizzo email|indirizzo e mail|posta elettronica|e mailadres|emailadres|mailadres|"
        "e postadress|epost|e post|epostadress|adres email|adres e mail|poczta"
    ),
    "phone": (
        "phone|phone number|telephone|telephone number|mobile|mobile phone|mobile number|cell|cell phone|tel|sms|telefon|telefonnummer|"
        "handy|handynummer|mobil|mobilnummer|rufnummer|telephone portable|portable|numero de telephone|mobile portable|telefono|"
        "numero de telefono|movil|celular|telefone|numero de telefone|telemovel|cellulare|numero di telefono|telefoonnummer|telefoon|"
        "mobiel|mobielnummer|mobiltelefon|telefon komorkowy|numer telefonu|komorka"
    ),
    "external_id": (
        "id|customer id|customer number|customer no|client id|client number|contact id|external id|user id|person id|account number|"
        "record id|crm id|reference|customer ref|kundennummer|kunden nr|kundennr|kunden id|kundenid|kontakt id|numero client|id client|"
        "numero de client|reference client|numero de cliente|id cliente|id de cliente|codigo de cliente|numero do cliente|"
        "codigo do cliente|id do cliente|codice cliente|numero cliente|klantnummer|klant id|klantnr|kundnummer|kund id|numer klienta|"
        "id klienta|customerid|external reference"
    ),
    "name": (
        "name|full name|fullname|contact name|customer name|person|contact|display name|contact full name|vollstandiger name|kontaktname|"
        "ansprechpartner|kundenname|nom complet|nom et prenom|prenom et nom|nom du contact|nombre completo|nombre y apellidos|"
        "nome completo|nome e cognome|nome e sobrenome|nominativo|volledige naam|naam|contactpersoon|fullstandigt namn|namn|"
        "imie i nazwisko|pelna nazwa"
    ),
    "first_name": (
        "first name|firstname|given name|forename|first|vorname|rufname|prenom|nombre|nombre de pila|primeiro nome|nome|nome proprio|"
        "nome di battesimo|voornaam|fornamn|tilltalsnamn|imie"
    ),
    "last_name": (
        "last name|lastname|surname|family name|last|nachname|familienname|zuname|nom|nom de famille|apellido|apellidos|sobrenome|"
        "apelido|ultimo nome|cognome|achternaam|familienaam|efternamn|nazwisko"
    ),
    "title": (
        "title|job title|jobtitle|position|role|job|funktion|stellenbezeichnung|berufsbezeichnung|berufstitel|poste|fonction|"
        "intitule du poste|cargo|"
        "puesto|funcao|qualifica|ruolo|posizione|functie|functietitel|befattning|titel|yrkestitel|stanowisko"
    ),
    "company": (
        "company|company name|organization|organisation|organization name|organisation name|account|account name|business|firm|employer|"
        "firma|firmenname|unternehmen|gesellschaft|entreprise|societe|nom de l entreprise|raison sociale|empresa|compania|"
        "nombre de la empresa|nome da empresa|azienda|societa|ragione sociale|nome azienda|bedrijf|bedrijfsnaam|organisatie|foretag|"
        "foretagsnamn|bolag|nazwa firmy|przedsiebiorstwo|associated company"
    ),
    "locale": (
        "language|locale|lang|preferred language|language code|sprache|sprachcode|bevorzugte sprache|langue|langue preferee|idioma|lengua|"
        "lingua|taal|voorkeurstaal|sprak|jezyk"
    ),
    "time_zone": (
        "time zone|timezone|tz|zeitzone|fuseau horaire|zona horaria|huso horario|fuso horario|fuso orario|tijdzone|tidszon|strefa czasowa"
    ),
    "country": (
        "country|country code|country region|mailing country|billing country|nation|land|landercode|landescode|staat|pays|code pays|pais|"
        "codigo de pais|codigo do pais|paese|nazione|codice paese|landcode|landskod|kraj|kod kraju"
    ),
    "customer_since": (
        "customer since|since|signup date|sign up date|signed up|signed up at|joined|join date|joined at|start date|created|created at|"
        "created date|create date|creation date|date created|client since|contract start|registered|registered at|registration date|"
        "kunde seit|seit|eintrittsdatum|erstellt am|erstellt|vertragsbeginn|registriert am|anlagedatum|client depuis|depuis|"
        "date de creation|date d inscription|cree le|cliente desde|desde|fecha de alta|fecha de creacion|fecha de registro|"
        "data de criacao|data de cadastro|criado em|cliente dal|cliente da|data di creazione|data creazione|data iscrizione|klant sinds|"
        "klant vanaf|sinds|aanmaakdatum|aangemaakt op|kund sedan|sedan|skapad|registreringsdatum|klient od|data utworzenia"
    ),
    "monthly_value": (
        "monthly value|mrr|monthly revenue|monthly recurring revenue|monthly spend|monthly amount|monatlicher wert|"
        "monatsumsatz|valeur mensuelle|revenu mensuel|valor mensual|ingreso mensual|valor mensal|receita mensal|valore mensile|"
        "ricavo mensile|maandwaarde|maandomzet|manadsvarde|wartosc miesieczna"
    ),
    "currency": "currency|currency code|wahrung|waehrung|devise|monnaie|moneda|divisa|moeda|valuta|waluta",
    "consent_email": (
        "consent|email consent|consent email|opt in|optin|email opt in|marketing consent|gdpr consent|einwilligung|zustimmung|"
        "email einwilligung|consentement|consentimiento|consentimento|consenso|toestemming|samtycke|zgoda"
    ),
    "consent_sms": "sms consent|consent sms|text consent|sms opt in|sms einwilligung",
    "unsubscribed": (
        "unsubscribed|unsubscribed at|opted out|opt out|optout|email opt out|do not email|do not contact|unsubscribe|"
        "has opted out of email|"
        "unsubscribed from all email|suppressed|abgemeldet|ausgetragen|desabonne|desinscrit|dado de baja|baja|cancelado|descadastrado|"
        "disiscritto|cancellato|uitgeschreven|afgemeld|avregistrerad|wypisany"
    ),
    "last_asked_at": (
        "last asked|last asked at|last surveyed|last surveyed at|last sent at|last survey sent|last nps survey|zuletzt befragt"
    ),
}
_FIELD_OF = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split("|")}


class Preset(StrEnum):
    """Exports of other tools that are known by their headings."""

    HUBSPOT = "HubSpot"
    SALESFORCE = "Salesforce"


# Headings of a HubSpot contact export and a Salesforce contact report, and what each becomes.
_PRESETS: dict[Preset, dict[str, str]] = {
    Preset.HUBSPOT: {
        "record id": "external_id", "first name": "first_name", "last name": "last_name", "email": "email", "company name": "company",
        "lifecycle stage": "p.lifecycle_stage", "contact owner": "p.contact_owner", "country region": "country",
        "create date": "customer_since",
    },
    Preset.SALESFORCE: {
        "contact id": "external_id", "first name": "first_name", "last name": "last_name", "email": "email", "account name": "company",
        "account owner": "p.account_owner", "mailing country": "country", "created date": "customer_since",
    },
}  # fmt: skip
_TELLING = {Preset.HUBSPOT: {"record id", "lifecycle stage"}, Preset.SALESFORCE: {"contact id", "account name"}}
NO_VALUE = frozenset({"(no value)", "n/a", "null", "none", "-", "–"})
PRESET_STEPS = {
    Preset.HUBSPOT: "In HubSpot: CRM, Contacts, Export, format CSV, all properties on records in the view.",
    Preset.SALESFORCE: "In Salesforce: Reports, New report, Contacts and accounts, add the Contact ID, Export, details only, CSV in UTF-8.",
}


@dataclass(frozen=True)
class Guess:
    """What a column becomes: a field, a property (`p.<key>`), or nothing. `new` is a property to make on import."""

    target: str = ""
    new: Property | None = None


def header_key(header: Sequence[str]) -> str:
    """The same for files with the same headings in the same order; finds what was decided last time."""
    return hashlib.sha256("\x00".join(plain(name) for name in header).encode()).hexdigest()


def find_preset(header: Sequence[str]) -> Preset | None:
    """Which tool this file comes from, in any order and case of the headings."""
    names = {plain(name) for name in header}
    for preset, known in _PRESETS.items():
        if _TELLING[preset] <= names or (_TELLING[preset] & names and len(names & known.keys()) >= 6):
            return preset
    return None


def is_nothing(cell: str) -> bool:
    """What other tools write into empty cells."""
    return cell.strip().lower() in NO_VALUE


def guess(header: Sequence[str], sample: Sequence[Sequence[str]], properties: Mapping[str, Property]) -> list[Guess]:
    """One guess for each column. Each field is used once; what is not recognised is left out."""
    preset = find_preset(header)
    guesses: list[Guess] = [Guess() for _ in header]
    taken: set[str] = set()
    by_label = {plain(p.label): p.key for p in properties.values()} | {plain(key): key for key in properties}

    def take(index: int, target: str, new: Property | None = None) -> None:
        if not guesses[index].target and target not in taken:
            guesses[index] = Guess(target, new)
            taken.add(target)

    for index, name in enumerate(header):
        known = _PRESETS[preset].get(plain(name)) if preset else None
        if known and known.startswith(PROPERTY) and known[2:] not in properties:
            take(index, known, _new_property(name, column(sample, index), known[2:]))
        elif known:
            take(index, known)
    for index, name in enumerate(header):
        key = by_label.get(plain(name.removeprefix(PROPERTY)))
        if key:
            take(index, PROPERTY + key)
    # Our own names first: a file we wrote has `contact_id` beside `external_id`.
    for index, name in enumerate(header):
        if name.strip().lower() in _HEADINGS:
            take(index, name.strip().lower())
    for index, name in enumerate(header):
        field = _FIELD_OF.get(plain(name))
        if field:
            take(index, field)
    _by_values(header, sample, guesses, taken)
    _unmix_names(header, guesses)
    return guesses


def _by_values(header: Sequence[str], sample: Sequence[Sequence[str]], guesses: list[Guess], taken: set[str]) -> None:
    if "email" in taken:
        return
    for index in range(len(header)):
        if guesses[index].target not in ("", "external_id", "name"):
            continue
        seen = [cell for cell in column(sample, index)[:_SEEN] if cell]
        if seen and sum(map(_is_email, seen)) >= _LOOKS_LIKE * len(seen):
            guesses[index] = Guess("email")
            return


def _is_email(text: str) -> bool:
    try:
        values.read_email(text)
    except values.Unusable:
        return False
    return True


_WHOLE_WHEN_ALONE = frozenset({"nom", "nome", "nombre"})


def _unmix_names(header: Sequence[str], guesses: list[Guess]) -> None:
    """`nom` beside `prenom` is a last name, `nome` beside `cognome` a first one; alone each is the whole name."""
    where = {guess.target: index for index, guess in enumerate(guesses) if guess.target}
    parts = [where[part] for part in ("first_name", "last_name") if part in where]
    if "name" not in where and len(parts) == 1 and plain(header[parts[0]]) in _WHOLE_WHEN_ALONE:
        guesses[parts[0]] = Guess("name")


def column(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    """The cells of one column, trimmed; rows that are shorter have none."""
    return [row[index].strip() for row in sample if index < len(row)]


def _new_property(name: str, cells: Sequence[str], key: str = "") -> Property:
    seen = [cell for cell in cells if cell and not is_nothing(cell)]
    key = key or key_from(name)
    return Property(key, _as_label(name), guess_kind(seen) if seen else Kind.TEXT)


def _as_label(name: str) -> str:
    """A heading as people write it: "plan_code" becomes "Plan code", "Lifecycle Stage" stays."""
    words = " ".join(name.replace("_", " ").split())[:80]
    return words[:1].upper() + words[1:] if words.islower() else words


def propose_property(name: str, cells: Sequence[str], properties: Mapping[str, Property]) -> Property | None:
    """The property that a column could become, with a key nobody has; None when its heading gives no key."""
    prop = _new_property(name, cells)
    key, number = prop.key, 2
    while key in properties or key in RESERVED:
        key, number = f"{prop.key[:46]}_{number}", number + 1
    return Property(key, prop.label, prop.kind) if KEY.fullmatch(key) else None
