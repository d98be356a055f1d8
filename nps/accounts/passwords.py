"""What a password must be: pure decisions. Length comes first, so that nothing long is ever hashed.

Sources: NIST SP 800-63B-4 §3.1.1.2 (length, any Unicode, a list of common ones, no composition rules).
"""

import unicodedata

MIN_LENGTH, MAX_LENGTH = 12, 256

# Common ones of twelve characters and more, written without case; shorter ones are refused by length already.
# `_stem` strips trailing digits and signs, so "Passwordpassword2026!" is found by its word.
_WORDS = """
password passwordpassword passwords passw0rd p@ssword p@ssw0rd pa55word pa$$word mypassword thepassword newpassword oldpassword
adminpassword userpassword rootpassword masterpassword companypassword secretpassword passwordsecret changepassword defaultpassword
temppassword temporarypassword testpassword passwordtest passwordadmin password1password password123password letmein letmeinplease
letmeinnow letmeinletmein welcome welcomeback welcomehome welcomewelcome welcometo qwerty qwertyuiop qwertyuiopasdf qwertyuiopasdfgh
qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertyqwerty qwertyasdfgh qwertzuiop qwertzuiopü azertyuiop azertyazerty asdfghjkl
asdfghjklzxcvbnm asdfasdfasdf asdfghasdfgh zxcvbnm zxcvbnmasdfgh zxcvbnmzxcvbnm qazwsxedcrfv qazwsxedc qazwsx 1qaz2wsx3edc
1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t q1w2e3r4t5y6 q1w2e3r4t5 qweasdzxc qweasdzxcqwe qwe123qwe123 qweqweqweqwe
abcdefghijkl abcdefghijklm abcdefghijklmnop abcdefghijklmnopqrstuvwxyz abcabcabcabc abc123abc123 abcd1234abcd abcd1234efgh a1b2c3d4e5f6
a1b2c3d4e5 aa123456aa12 iloveyou iloveyouiloveyou iloveyousomuch iloveyoubaby iloveyouforever iloveme ilovemyself ilovejesus ilovemydog
ilovemymom ilovemyfamily sunshine sunshinesunshine princess princessprincess football footballfootball baseball baseballbaseball
basketball superman supermansuperman batmanbatman spiderman starwars startrek pokemon pokemonpokemon dragondragon monkeymonkey
shadowshadow mastermaster trustno1trustno1 trustnoone whateverwhatever nothingnothing computer computercomputer internet
internetinternet administrator administrator1 administration superuser superadmin adminadmin adminadminadmin rootrootroot
useruseruser testtesttest testingtesting testtesttesttest guestguest guestguestguest changeme changemenow changemeplease
pleasechangeme changethis default defaultdefault secretsecret secretsecretsecret topsecret supersecret mysecret opensesame
correcthorsebatterystaple correct horse battery correct-horse-battery-staple thisisapassword thisismypassword thisissecret
idontknow idontremember forgotpassword forgotmypassword nopasswordhere enterpassword typepasswordhere blahblahblah lalalalalala
hahahahahaha hellohello hellohellohello helloworld helloworldhello goodmorning goodnight happybirthday merrychristmas
christmas2025 summersummer winterwinter springspring autumnautumn january february september october november december
monday tuesday wednesday thursday friday saturday sunday liverpoolfc manchesterunited realmadrid barcelona juventus chelseafc
arsenalfc newyorkcity losangeles sanfrancisco washington california australia deutschland schalke04schalke wordback wordbackwordback
""".split("\n")
COMMON = frozenset(word for line in _WORDS for word in line.split())
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)


def normal(password: str) -> str:
    """The form that is hashed: NFKC, so that two keyboards give one password."""
    return unicodedata.normalize("NFKC", password)


def problem(password: str, email: str) -> str | None:
    """What is wrong with a new password for this address, or None."""
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    plain = normal(password)
    if len(plain) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters. A short sentence is easy to remember."
    folded = plain.casefold()
    local = email.casefold().partition("@")[0]
    if folded == email.casefold() or (len(local) >= 4 and _stem(folded) == local):
        return "Your email address is the first thing others try. Choose something else."
    if is_common(folded):
        return "Many people use this password, so others try it first. Choose something else."
    return None


def is_common(folded: str) -> bool:
    """Is it on the list, a run of the keyboard or the alphabet, or a short piece repeated? `folded` is without case."""
    stem = _stem(folded)
    if folded in COMMON or stem in COMMON or stem.replace(" ", "") in COMMON:
        return True
    if any(folded in row or folded in row[::-1] for row in _ROWS) or (stem and len(stem) >= 6 and any(stem in row for row in _ROWS)):
        return True
    return any(folded == (folded[:size] * (len(folded) // size + 1))[: len(folded)] for size in range(1, 5))


def _stem(folded: str) -> str:
    """Without digits and signs at both ends."""
    left, right = 0, len(folded)
    while right > left and not folded[right - 1].isalpha():
        right -= 1
    while left < right and not folded[left].isalpha():
        left += 1
    return folded[left:right]
