package dashboard

import (
	"fmt"
	"strings"
)

// place is the middle of a country, in whole degrees.
type place struct {
	Lat  int    `json:"lat"`
	Lon  int    `json:"lon"`
	Name string `json:"name"`
}

// places is the countries by their codes of ISO 3166-1.
var places = readPlaces()

func readPlaces() map[string]place {
	out := map[string]place{}
	for line := range strings.Lines(placeList) {
		for entry := range strings.SplitSeq(strings.TrimSpace(line), "|") {
			var code string
			var p place
			if _, err := fmt.Sscanf(entry, "%s %d %d", &code, &p.Lat, &p.Lon); err != nil {
				continue
			}
			p.Name = strings.Join(strings.Fields(entry)[3:], " ")
			out[code] = p
		}
	}
	return out
}

const placeList = `
AF 34 66 Afghanistan|AL 41 20 Albania|DZ 28 3 Algeria|AD 43 2 Andorra|AO -12 18 Angola|AG 17 -62 Antigua and Barbuda
AR -35 -65 Argentina|AM 40 45 Armenia|AU -25 134 Australia|AT 47 14 Austria|AZ 40 48 Azerbaijan|BS 24 -76 Bahamas
BH 26 51 Bahrain|BD 24 90 Bangladesh|BB 13 -60 Barbados|BY 53 28 Belarus|BE 51 5 Belgium|BZ 17 -89 Belize|BJ 9 2 Benin
BM 32 -65 Bermuda|BT 27 90 Bhutan|BO -17 -65 Bolivia|BA 44 18 Bosnia and Herzegovina|BW -22 24 Botswana
BR -10 -53 Brazil|BN 5 115 Brunei|BG 43 25 Bulgaria|BF 12 -2 Burkina Faso|BI -3 30 Burundi|KH 13 105 Cambodia
CM 6 12 Cameroon|CA 60 -98 Canada|CV 16 -24 Cape Verde|KY 19 -81 Cayman Islands|CF 7 20 Central African Republic
TD 15 19 Chad|CL -35 -71 Chile|CN 36 103 China|CO 4 -73 Colombia|KM -12 44 Comoros|CG -1 15 Congo|CD -3 23 DR Congo
CR 10 -84 Costa Rica|CI 8 -6 Ivory Coast|HR 45 16 Croatia|CU 22 -79 Cuba|CY 35 33 Cyprus|CZ 50 15 Czechia
DK 56 10 Denmark|DJ 12 43 Djibouti|DM 15 -61 Dominica|DO 19 -70 Dominican Republic|EC -1 -78 Ecuador|EG 27 30 Egypt
SV 14 -89 El Salvador|GQ 2 10 Equatorial Guinea|ER 15 39 Eritrea|EE 59 26 Estonia|SZ -27 31 Eswatini|ET 9 40 Ethiopia
FK -52 -59 Falkland Islands|FO 62 -7 Faroe Islands|FJ -18 178 Fiji|FI 64 26 Finland|FR 47 2 France
GF 4 -53 French Guiana|PF -17 -149 French Polynesia|GA -1 12 Gabon|GM 13 -15 Gambia|GE 42 44 Georgia|DE 51 10 Germany
GH 8 -1 Ghana|GI 36 -5 Gibraltar|GR 39 22 Greece|GL 72 -41 Greenland|GD 12 -62 Grenada|GP 16 -61 Guadeloupe
GU 13 145 Guam|GT 16 -90 Guatemala|GG 49 -3 Guernsey|GN 10 -11 Guinea|GW 12 -15 Guinea-Bissau|GY 5 -59 Guyana
HT 19 -72 Haiti|HN 15 -87 Honduras|HK 22 114 Hong Kong|HU 47 19 Hungary|IS 65 -19 Iceland|IN 22 79 India
ID -2 118 Indonesia|IR 32 54 Iran|IQ 33 44 Iraq|IE 53 -8 Ireland|IM 54 -5 Isle of Man|IL 31 35 Israel|IT 43 12 Italy
JM 18 -77 Jamaica|JP 37 138 Japan|JE 49 -2 Jersey|JO 31 37 Jordan|KZ 48 67 Kazakhstan|KE 1 38 Kenya|KI 1 173 Kiribati
KP 40 127 North Korea|KR 36 128 South Korea|XK 43 21 Kosovo|KW 29 48 Kuwait|KG 41 75 Kyrgyzstan|LA 18 104 Laos
LV 57 25 Latvia|LB 34 36 Lebanon|LS -30 28 Lesotho|LR 6 -9 Liberia|LY 27 18 Libya|LI 47 10 Liechtenstein
LT 55 24 Lithuania|LU 50 6 Luxembourg|MO 22 114 Macao|MG -19 47 Madagascar|MW -13 34 Malawi|MY 4 109 Malaysia
MV 4 73 Maldives|ML 17 -4 Mali|MT 36 14 Malta|MH 7 170 Marshall Islands|MQ 15 -61 Martinique|MR 20 -10 Mauritania
MU -20 58 Mauritius|YT -13 45 Mayotte|MX 24 -103 Mexico|FM 7 158 Micronesia|MD 47 28 Moldova|MC 44 7 Monaco
MN 47 103 Mongolia|ME 43 19 Montenegro|MA 32 -6 Morocco|MZ -17 36 Mozambique|MM 21 97 Myanmar|NA -22 17 Namibia
NR -1 167 Nauru|NP 28 84 Nepal|NL 52 5 Netherlands|NC -21 166 New Caledonia|NZ -42 172 New Zealand|NI 13 -85 Nicaragua
NE 17 9 Niger|NG 10 8 Nigeria|MK 42 22 North Macedonia|NO 62 10 Norway|OM 21 56 Oman|PK 30 69 Pakistan|PW 7 134 Palau
PS 32 35 Palestine|PA 9 -80 Panama|PG -6 145 Papua New Guinea|PY -23 -58 Paraguay|PE -9 -74 Peru|PH 12 123 Philippines
PL 52 19 Poland|PT 40 -8 Portugal|PR 18 -66 Puerto Rico|QA 25 51 Qatar|RE -21 56 Reunion|RO 46 25 Romania
RU 60 95 Russia|RW -2 30 Rwanda|KN 17 -63 Saint Kitts and Nevis|LC 14 -61 Saint Lucia|VC 13 -61 Saint Vincent
WS -14 -172 Samoa|SM 44 12 San Marino|ST 0 7 Sao Tome and Principe|SA 24 45 Saudi Arabia|SN 14 -14 Senegal
RS 44 21 Serbia|SC -5 55 Seychelles|SL 9 -12 Sierra Leone|SG 1 104 Singapore|SK 49 19 Slovakia|SI 46 15 Slovenia
SB -9 160 Solomon Islands|SO 5 46 Somalia|ZA -29 25 South Africa|SS 7 30 South Sudan|ES 40 -4 Spain|LK 8 81 Sri Lanka
SD 16 30 Sudan|SR 4 -56 Suriname|SE 62 16 Sweden|CH 47 8 Switzerland|SY 35 38 Syria|TW 24 121 Taiwan
TJ 39 71 Tajikistan|TZ -6 35 Tanzania|TH 15 101 Thailand|TL -9 126 Timor-Leste|TG 9 1 Togo|TO -20 -175 Tonga
TT 10 -61 Trinidad and Tobago|TN 34 10 Tunisia|TR 39 35 Turkey|TM 39 59 Turkmenistan|TV -8 179 Tuvalu|UG 1 32 Uganda
UA 49 31 Ukraine|AE 24 54 United Arab Emirates|GB 54 -2 United Kingdom|US 39 -98 United States|UY -33 -56 Uruguay
UZ 42 63 Uzbekistan|VU -16 168 Vanuatu|VA 42 12 Vatican|VE 7 -66 Venezuela|VN 16 107 Vietnam
VG 18 -65 British Virgin Islands|VI 18 -65 US Virgin Islands|EH 25 -13 Western Sahara|YE 16 48 Yemen|ZM -13 28 Zambia
ZW -19 30 Zimbabwe
`
