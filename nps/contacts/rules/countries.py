"""Countries by ISO 3166 code or English name, with what is needed to dial them.

Codes and names: ISO 3166-1. Calling codes and national prefixes: ITU-T E.164 assignments and E.164 National Numbering
Plans. The national prefix ("trunk") is what people write before a national number and what is dropped abroad.
"""

from dataclasses import dataclass

from nps.contacts.rules.words import plain


@dataclass(frozen=True)
class Country:
    """`calling` without the plus sign; `trunk` is "" where national numbers keep all their digits."""

    code: str
    alpha3: str
    calling: str
    trunk: str
    name: str


# code, alpha-3, calling code, national prefix (- = none), name, other English names after "="
_TABLE = """
AD AND 376 - Andorra
AE ARE 971 0 United Arab Emirates = UAE
AF AFG 93 0 Afghanistan
AG ATG 1268 1 Antigua and Barbuda
AI AIA 1264 1 Anguilla
AL ALB 355 0 Albania
AM ARM 374 0 Armenia
AO AGO 244 - Angola
AQ ATA 672 - Antarctica
AR ARG 54 0 Argentina
AS ASM 1684 1 American Samoa = Samoa (American)
AT AUT 43 0 Austria
AU AUS 61 0 Australia
AW ABW 297 - Aruba
AX ALA 358 0 Åland Islands
AZ AZE 994 0 Azerbaijan
BA BIH 387 0 Bosnia and Herzegovina = Bosnia
BB BRB 1246 1 Barbados
BD BGD 880 0 Bangladesh
BE BEL 32 0 Belgium
BF BFA 226 - Burkina Faso
BG BGR 359 0 Bulgaria
BH BHR 973 - Bahrain
BI BDI 257 - Burundi
BJ BEN 229 - Benin
BL BLM 590 0 Saint Barthélemy = St Barthelemy
BM BMU 1441 1 Bermuda
BN BRN 673 - Brunei = Brunei Darussalam
BO BOL 591 0 Bolivia = Bolivia (Plurinational State of)
BQ BES 599 - Bonaire, Sint Eustatius and Saba = Caribbean NL = Caribbean Netherlands
BR BRA 55 0 Brazil
BS BHS 1242 1 Bahamas = The Bahamas
BT BTN 975 - Bhutan
BV BVT 47 - Bouvet Island
BW BWA 267 - Botswana
BY BLR 375 80 Belarus
BZ BLZ 501 - Belize
CA CAN 1 1 Canada
CC CCK 61 0 Cocos (Keeling) Islands
CD COD 243 0 Congo, Democratic Republic = Congo (Dem. Rep.) = Democratic Republic of the Congo = DR Congo
CF CAF 236 - Central African Republic = Central African Rep.
CG COG 242 - Congo = Congo (Rep.) = Republic of the Congo
CH CHE 41 0 Switzerland
CI CIV 225 - Côte d’Ivoire = Ivory Coast
CK COK 682 - Cook Islands
CL CHL 56 - Chile
CM CMR 237 - Cameroon
CN CHN 86 0 China
CO COL 57 0 Colombia
CR CRI 506 - Costa Rica
CU CUB 53 0 Cuba
CV CPV 238 - Cabo Verde = Cape Verde
CW CUW 599 - Curaçao
CX CXR 61 0 Christmas Island
CY CYP 357 - Cyprus
CZ CZE 420 - Czechia = Czech Republic
DE DEU 49 0 Germany
DJ DJI 253 - Djibouti
DK DNK 45 - Denmark
DM DMA 1767 1 Dominica
DO DOM 1809 1 Dominican Republic
DZ DZA 213 0 Algeria
EC ECU 593 0 Ecuador
EE EST 372 - Estonia
EG EGY 20 0 Egypt
EH ESH 212 0 Western Sahara
ER ERI 291 0 Eritrea
ES ESP 34 - Spain
ET ETH 251 0 Ethiopia
FI FIN 358 0 Finland
FJ FJI 679 - Fiji
FK FLK 500 - Falkland Islands
FM FSM 691 - Micronesia
FO FRO 298 - Faroe Islands
FR FRA 33 0 France
GA GAB 241 0 Gabon
GB GBR 44 0 United Kingdom = Britain (UK) = UK = Great Britain = Britain = England = Scotland = Wales = Northern Ireland
GD GRD 1473 1 Grenada
GE GEO 995 0 Georgia
GF GUF 594 0 French Guiana
GG GGY 44 0 Guernsey
GH GHA 233 0 Ghana
GI GIB 350 - Gibraltar
GL GRL 299 - Greenland
GM GMB 220 - Gambia = The Gambia
GN GIN 224 - Guinea
GP GLP 590 0 Guadeloupe
GQ GNQ 240 - Equatorial Guinea
GR GRC 30 - Greece
GS SGS 500 - South Georgia and the South Sandwich Islands
GT GTM 502 - Guatemala
GU GUM 1671 1 Guam
GW GNB 245 - Guinea-Bissau
GY GUY 592 - Guyana
HK HKG 852 - Hong Kong
HM HMD 672 - Heard Island and McDonald Islands
HN HND 504 - Honduras
HR HRV 385 0 Croatia
HT HTI 509 - Haiti
HU HUN 36 06 Hungary
ID IDN 62 0 Indonesia
IE IRL 353 0 Ireland = Republic of Ireland
IL ISR 972 0 Israel
IM IMN 44 0 Isle of Man
IN IND 91 0 India
IO IOT 246 - British Indian Ocean Territory
IQ IRQ 964 0 Iraq
IR IRN 98 0 Iran = Iran (Islamic Republic of)
IS ISL 354 - Iceland
IT ITA 39 - Italy
JE JEY 44 0 Jersey
JM JAM 1876 1 Jamaica
JO JOR 962 0 Jordan
JP JPN 81 0 Japan
KE KEN 254 0 Kenya
KG KGZ 996 0 Kyrgyzstan
KH KHM 855 0 Cambodia
KI KIR 686 - Kiribati
KM COM 269 - Comoros
KN KNA 1869 1 Saint Kitts and Nevis = St Kitts & Nevis
KP PRK 850 0 North Korea = Korea (North)
KR KOR 82 0 South Korea = Korea (South) = Korea = Republic of Korea
KW KWT 965 - Kuwait
KY CYM 1345 1 Cayman Islands
KZ KAZ 7 8 Kazakhstan
LA LAO 856 0 Laos
LB LBN 961 0 Lebanon
LC LCA 1758 1 Saint Lucia = St Lucia
LI LIE 423 0 Liechtenstein
LK LKA 94 0 Sri Lanka
LR LBR 231 0 Liberia
LS LSO 266 - Lesotho
LT LTU 370 0 Lithuania
LU LUX 352 - Luxembourg
LV LVA 371 - Latvia
LY LBY 218 0 Libya
MA MAR 212 0 Morocco
MC MCO 377 - Monaco
MD MDA 373 0 Moldova = Republic of Moldova
ME MNE 382 0 Montenegro
MF MAF 590 0 Saint Martin = St Martin (French)
MG MDG 261 0 Madagascar
MH MHL 692 1 Marshall Islands
MK MKD 389 0 North Macedonia = Macedonia
ML MLI 223 - Mali
MM MMR 95 0 Myanmar = Myanmar (Burma) = Burma
MN MNG 976 0 Mongolia
MO MAC 853 - Macao = Macau
MP MNP 1670 1 Northern Mariana Islands
MQ MTQ 596 0 Martinique
MR MRT 222 - Mauritania
MS MSR 1664 1 Montserrat
MT MLT 356 - Malta
MU MUS 230 - Mauritius
MV MDV 960 - Maldives
MW MWI 265 0 Malawi
MX MEX 52 - Mexico
MY MYS 60 0 Malaysia
MZ MOZ 258 - Mozambique
NA NAM 264 0 Namibia
NC NCL 687 - New Caledonia
NE NER 227 - Niger
NF NFK 672 - Norfolk Island
NG NGA 234 0 Nigeria
NI NIC 505 - Nicaragua
NL NLD 31 0 Netherlands = The Netherlands = Holland
NO NOR 47 - Norway
NP NPL 977 0 Nepal
NR NRU 674 - Nauru
NU NIU 683 - Niue
NZ NZL 64 0 New Zealand
OM OMN 968 - Oman
PA PAN 507 - Panama
PE PER 51 0 Peru
PF PYF 689 - French Polynesia
PG PNG 675 - Papua New Guinea
PH PHL 63 0 Philippines = The Philippines
PK PAK 92 0 Pakistan
PL POL 48 - Poland
PM SPM 508 0 Saint Pierre and Miquelon = St Pierre & Miquelon
PN PCN 64 - Pitcairn
PR PRI 1787 1 Puerto Rico
PS PSE 970 0 Palestine = Palestine, State of
PT PRT 351 - Portugal
PW PLW 680 - Palau
PY PRY 595 0 Paraguay
QA QAT 974 - Qatar
RE REU 262 0 Réunion
RO ROU 40 0 Romania
RS SRB 381 0 Serbia
RU RUS 7 8 Russia = Russian Federation
RW RWA 250 0 Rwanda
SA SAU 966 0 Saudi Arabia
SB SLB 677 - Solomon Islands
SC SYC 248 - Seychelles
SD SDN 249 0 Sudan
SE SWE 46 0 Sweden
SG SGP 65 - Singapore
SH SHN 290 - Saint Helena = St Helena
SI SVN 386 0 Slovenia
SJ SJM 47 - Svalbard and Jan Mayen
SK SVK 421 0 Slovakia = Slovak Republic
SL SLE 232 0 Sierra Leone
SM SMR 378 - San Marino
SN SEN 221 - Senegal
SO SOM 252 0 Somalia
SR SUR 597 0 Suriname
SS SSD 211 0 South Sudan
ST STP 239 - São Tomé and Príncipe = Sao Tome & Principe
SV SLV 503 - El Salvador
SX SXM 1721 1 Sint Maarten = St Maarten (Dutch)
SY SYR 963 0 Syria = Syrian Arab Republic
SZ SWZ 268 - Eswatini = Eswatini (Swaziland) = Swaziland
TC TCA 1649 1 Turks and Caicos Islands = Turks & Caicos Is
TD TCD 235 - Chad
TF ATF 262 - French Southern Territories = French S. Terr.
TG TGO 228 - Togo
TH THA 66 0 Thailand
TJ TJK 992 - Tajikistan
TK TKL 690 - Tokelau
TL TLS 670 - Timor-Leste = East Timor
TM TKM 993 8 Turkmenistan
TN TUN 216 - Tunisia
TO TON 676 - Tonga
TR TUR 90 0 Türkiye = Turkey
TT TTO 1868 1 Trinidad and Tobago
TV TUV 688 - Tuvalu
TW TWN 886 0 Taiwan = Taiwan, Province of China
TZ TZA 255 0 Tanzania = United Republic of Tanzania
UA UKR 380 0 Ukraine
UG UGA 256 0 Uganda
UM UMI 1 1 United States Minor Outlying Islands = US minor outlying islands
US USA 1 1 United States = USA = U.S.A. = U.S. = United States of America = America
UY URY 598 0 Uruguay
UZ UZB 998 - Uzbekistan
VA VAT 39 - Vatican City = Holy See
VC VCT 1784 1 Saint Vincent and the Grenadines = St Vincent
VE VEN 58 0 Venezuela = Venezuela (Bolivarian Republic of)
VG VGB 1284 1 British Virgin Islands = Virgin Islands (UK)
VI VIR 1340 1 US Virgin Islands = Virgin Islands (US) = U.S. Virgin Islands
VN VNM 84 0 Vietnam = Viet Nam
VU VUT 678 - Vanuatu
WF WLF 681 - Wallis and Futuna
WS WSM 685 - Samoa = Samoa (western)
YE YEM 967 0 Yemen
YT MYT 262 0 Mayotte
ZA ZAF 27 0 South Africa
ZM ZMB 260 0 Zambia
ZW ZWE 263 0 Zimbabwe
"""


def _read_table() -> tuple[dict[str, Country], dict[str, str]]:
    by_code: dict[str, Country] = {}
    code_of: dict[str, str] = {}
    for line in _TABLE.strip().splitlines():
        code, alpha3, calling, trunk, names = line.split(" ", 4)
        name, *others = names.split(" = ")
        by_code[code] = Country(code, alpha3, calling, "" if trunk == "-" else trunk, name)
        for spelling in (code, alpha3, name, *others):
            code_of[plain(spelling)] = code
    return by_code, code_of


BY_CODE, _CODE_OF = _read_table()
_CALLING = {country.calling for country in BY_CODE.values()} | {"800", "808", "870", "878", "881", "882", "883", "888", "979", "383"}


def find(text: str) -> str | None:
    """The ISO 3166 alpha-2 code of a code or an English name, without case, accents and punctuation; None when there is none."""
    return _CODE_OF.get(plain(text))


def has_calling_code(digits: str) -> bool:
    """Do the digits of an international number begin with an assigned calling code?"""
    return any(digits[:length] in _CALLING for length in (1, 2, 3))
