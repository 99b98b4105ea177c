package plan

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/unsilo/unsilo/core"
)

// hint is what a word of a column's name says.
type hint struct {
	means    core.Means
	strength float64
	word     string
}

// nameWords lists words of column names by what they mean, in lower-case ASCII and
// without separators: "first_name" and "firstName" are both "firstname".
const nameWords = `
person.email: email emails emailaddress emailadresse emailadress emailaddr mailaddress mailadresse mailadress epost epostadress epostadresse
person.email: sahkoposti sahkopostiosoite sposti correo correoelectronico courriel adressemail posta postaelettronica eposta useremail
person.phone: phone phones phonenumber phoneno telephone telephonenumber telefon telefonnummer telefonnr telefoonnummer telefone telefono tel telno
person.phone: mobile mobilenumber mobilephone mobileno mobiltelefon mobil mobilnummer cell cellphone cellnumber handy handynummer gsm fax faxnumber
person.phone: puhelin puhelinnumero puhnro matkapuhelin kannykka movil celular cellulare portable msisdn whatsapp whatsappnumber callerid callernumber
person.phone: ani clid callingnumber fromnumber tonumber srcnumber dstnumber
person.name.given: firstname fname givenname givennames forename vorname rufname etunimi fornamn fornavn prenom nombrepila primernombre nomedibattesimo
person.name.given: imie voornaam middlename toinennimi zweitname jmeno
person.name.family: lastname lname surname familyname nachname zuname sukunimi efternamn etternavn efternavn nomdefamille apellido apellidos primerapellido
person.name.family: cognome sobrenome nazwisko achternaam maidenname geburtsname syntymanimi tussenvoegsel prijmeni
person.name.full: fullname personname realname displayname kokonimi volledigenaam nomcomplet nombrecompleto nomecompleto cardholder cardholdername
person.name.full: ansprechpartner kontaktperson yhteyshenkilo kontaktpersonnamn calleridname recipientname vollername agenttypedname
person.birth_date: birthdate dateofbirth dob birthday birthdt bday geburtsdatum geburtstag gebdatum gebdat syntymaaika syntymapaiva syntpvm fodelsedatum
person.birth_date: fodselsdato fodselsdag datedenaissance datenaissance fechanacimiento fechadenacimiento datadinascita datanascita datanascimento
person.birth_date: dataurodzenia geboortedatum yearofbirth birthyear geburtsjahr syntymavuosi
person.gender: gender sex sukupuoli geschlecht kon kjonn sexe sexo sesso genero plec geslacht salutation anrede
person.ip: ip ipaddress ipaddr ipadresse ipadress clientip remoteip remoteaddr remoteaddress visitorip userip ipv4 ipv6 iposoite sourceip xforwardedfor
person.national_id: ssn socialsecuritynumber socialsecurity socialsecurityno nationalid nationalidnumber nin nino hetu henkilotunnus sotu
person.national_id: personnummer personnr fodselsnummer cprnummer cprnr cpr steuerid steueridentifikationsnummer sozialversicherungsnummer svnr
person.national_id: ahvnummer dni nif nie codicefiscale cpf pesel bsn burgerservicenummer numerosecu numerosecuritesociale nir insee rijksregisternummer
person.national_id: isikukood rodnecislo passport passportnumber passportno passnummer passinumero taxid personaltaxid driverslicense drivinglicence
person.iban: iban bankaccount bankaccountnumber accountiban kontonummer tilinumero kreditkarte creditcard creditcardnumber cardnumber cardno ccnumber pan
person.address.street: street streetaddress street1 street2 address address1 address2 addressline addressline1 addressline2 addr adresse adress adresszeile
person.address.street: strasse str strassenr osoite katuosoite lahiosoite postiosoite gatuadress gateadresse direccion calle domicilio indirizzo via
person.address.street: endereco rua straat adres ulica homeaddress billingaddress shippingaddress mailingaddress deliveryaddress postaladdress anschrift
person.address.postcode: zip zipcode postcode postalcode postnumber postalnumber plz postleitzahl postinumero postnummer codepostal codigopostal cep
person.address.postcode: cap kodpocztowy
device.cookie: cookie cookieid cookies visitorid anonymousid deviceid deviceidentifier idfa idfv gaid aaid advertisingid adid fingerprint
device.cookie: devicefingerprint macaddress macaddr imei imsi udid fbp fbc gaclientid clientcookie browserid
device.user_agent: useragent browseragent httpuseragent agentstring
social.handle: username userlogin loginname login screenname nickname handle twitter twitterhandle instagram instagramhandle socialhandle skypeid
social.handle: kayttajatunnus benutzername anvandarnamn nomutilisateur nombreusuario xhandle mastodon mastodonhandle profileurl linkedinurl facebookid
text.free: message messages messagetext body bodytext emailbody comment comments note notes remark remarks feedback freetext transcript transcription
text.free: review reviewtext verbatim chattext conversation viesti kommentti huomautus lisatiedot kommentar bemerkung notiz nachricht
text.free: meddelande anteckning mensaje comentario commentaire messaggio openanswer answertext posttext tweet tweettext
`

// personWords stand before "name" or "id" when it is a person's.
const personWords = `customer client contact person user agent employee staff patient member student caller callee author sender
recipient billing shipping holder owner guest driver buyer seller subscriber applicant candidate attendee passenger tenant
lead rep salesrep manager assignee requester reporter kunden asiakkaan asiakas kontakt mitarbeiter cliente klient kund`

// otherWords, anywhere in a name, say that the column tells something about an address
// or a number and does not hold it.
const otherWords = `status type types kind count counts num total verified verification valid validated validation optin optout consent
subscribed unsubscribed bounced bounce bounces opened opens clicked clicks sent delivered template templates campaign subject provider
enabled disabled flag format hash hashed md5 sha256 sha1 rate score length len version model brand os platform category source
preference preferences required allowed label confirmed quality domain hostname price cost plan tier size index rank priority interval
frequency limit quota quotas format position state role enum code codes schema class reason result outcome tag tags group
calls sessions visits views users orders installs app apps target ratio file`

// weakWords hint at a meaning in one language and are ordinary words in another, or are
// short: the values decide.
const weakWords = `via cap pan cell portable login ani handle calle rua kon str nir nin nie posta imie adid cep contact svnr cpr adres gsm sex mail`

// wordList reads the lists once.
type wordList struct {
	hints               map[string]core.Means
	person, other, weak map[string]bool
}

var nameWordList = sync.OnceValue(func() wordList {
	list := wordList{map[string]core.Means{}, wordSet(personWords), wordSet(otherWords), wordSet(weakWords)}
	for line := range strings.Lines(nameWords) {
		means, words, _ := strings.Cut(line, ":")
		for word := range strings.FieldsSeq(words) {
			list.hints[word] = core.Means(strings.TrimSpace(means))
		}
	}
	return list
})

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// nameHints says what the name of a column hints at.
func nameHints(name string) []hint {
	words := splitName(name)
	list := nameWordList()
	if len(words) > 1 && (words[0] == "is" || words[0] == "has" || words[0] == "no" || words[len(words)-1] == "at") {
		return nil
	}
	var hints []hint
	for i := range words {
		// The longest run of words from here that is in the list.
		for end := min(len(words), i+4); end > i; end-- {
			joined := strings.Join(words[i:end], "")
			means, ok := list.hints[joined]
			if !ok || coincidence(joined, words, i, end) || list.about(words[:i]) || list.about(words[end:]) {
				continue
			}
			strength := strengthOf(words, i, end)
			if list.weak[joined] {
				strength = weakHint
			}
			hints = append(hints, hint{means, strength, joined})
			break
		}
	}
	return append(hints, bareName(words, list)...)
}

// about reports a word that tells something about a value and not the value.
func (l wordList) about(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return l.other[w] })
}

// weakHint is the strength of a hint that only the values can confirm.
const weakHint = 0.4

// strengthOf is high when the hint is the whole name, and lower the more is around it.
func strengthOf(words []string, start, end int) float64 {
	switch rest := len(words) - (end - start); {
	case rest == 0:
		return 0.9
	case end == len(words):
		return 0.85
	case words[len(words)-1] == "id" || words[len(words)-1] == "key" || words[len(words)-1] == "url":
		return weakHint // email_id may be the id of a message: the values decide
	case rest == 1:
		return 0.75
	}
	return 0.6
}

// coincidence reports words that mean something else beside their neighbours.
func coincidence(word string, words []string, start, end int) bool {
	before, after := "", ""
	if start > 0 {
		before = words[start-1]
	}
	if end < len(words) {
		after = words[end]
	}
	switch word {
	case "address", "adresse", "adress", "addr", "adres", "osoite":
		return slices.Contains([]string{"ip", "mac", "email", "mail", "web", "url", "wallet", "memory", "site", "remote", "e"}, before) || after == "id"
	case "ip":
		return before == "server" || before == "host" || before == "node" || before == "pod"
	case "note", "notes", "comment", "comments", "review", "message", "messages", "body", "conversation":
		return after != "" && after != "text" && after != "body" && after != "content"
	case "mobile", "mobil":
		return after == "app" || after == "device" || before == "is"
	case "cookie", "cookies":
		return after == "name" || after == "policy"
	}
	return false
}

// bareName handles "name", which is a person's only in company.
func bareName(words []string, list wordList) []hint {
	last := len(words) - 1
	if last < 0 || !slices.Contains([]string{"name", "names", "nimi", "namn", "navn", "nom", "nombre", "nome", "naam"}, words[last]) {
		return nil
	}
	switch {
	case list.about(words[:last]):
		return nil
	case last == 0:
		return []hint{{core.PersonNameFull, weakHint, words[last]}}
	case list.person[words[last-1]]:
		return []hint{{core.PersonNameFull, 0.8, words[last-1] + " " + words[last]}}
	}
	return nil
}

// hintFor is the strongest hint at a meaning.
func hintFor(hints []hint, means core.Means) (strength float64, word string) {
	for _, h := range hints {
		if h.means == means && h.strength > strength {
			strength, word = h.strength, h.word
		}
	}
	return strength, word
}

// splitName splits a column's name at case changes, digits' ends and punctuation, in
// lower-case ASCII.
func splitName(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(norm.NFKD.String(name))
	for i, r := range runes {
		switch {
		case unicode.Is(unicode.Mn, r):
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		default:
			upperNext := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(runes[i-1]))
			if upperNext {
				flush()
			}
			word = append(word, []rune(latin(r))...)
		}
	}
	flush()
	return words
}

// latin spells the letters of column names that Unicode does not take apart.
func latin(r rune) string {
	switch unicode.ToLower(r) {
	case 'ß':
		return "ss"
	case 'ø':
		return "o"
	case 'æ':
		return "ae"
	case 'ł':
		return "l"
	}
	return string(r)
}
