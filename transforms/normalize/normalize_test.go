package normalize_test

import (
	"testing"

	"github.com/unsilo/unsilo/transforms/normalize"
)

// row is one case: unusable values want "".
type row struct{ in, want string }

func check(t *testing.T, f normalize.Func, rows []row) {
	t.Helper()
	for _, r := range rows {
		got, ok := f.Of(r.in)
		if got != r.want || ok != (r.want != "") {
			t.Errorf("%q: got %q, %v; want %q", r.in, got, ok, r.want)
		}
		if again, _ := f.Of(got); again != got {
			t.Errorf("%q: normalised %q, and again %q", r.in, got, again)
		}
	}
}

func TestFold(t *testing.T) {
	check(t, normalize.AppendFold, []row{
		{"  Ärger\t mit   Öl ", "arger mit ol"},
		{"Straße Łódź Ørsted Æsir Þór Đà", "strasse lodz orsted aesir thor da"},
		{"İstanbul ılık", "istanbul ilik"},
		{"Ａｎｎａ ① ﬁne ½", "anna 1 fine 1/2"},
		{"Сергей Жуков Щукин", "sergei zhukov shchukin"},
		{"Παπαδόπουλος Ευάγγελος", "papadopoulos evangelos"},
		{"김민수", "gimminsu"},
		{"たなか タナカ", "tanaka tanaka"},
		{"王伟", "u738bu4f1f"},
		{"محمد", "mhmd"},
		{"שלום", "shlvm"},
		{"٣٤٥", "345"},
		{"M\xfcller", "muller"},
		{"Mu\u0308ller", "muller"},
		{"O’Brien – “x”", `o'brien - "x"`},
		{"\u200b \u00a0", ""},
	})
}

func TestWords(t *testing.T) {
	check(t, normalize.AppendWords, []row{
		{"O'Brien-Smith, Ltd.", "obrien smith ltd"},
		{"d’Artagnan", "dartagnan"},
		{"--", ""},
	})
}

func TestEmail(t *testing.T) {
	check(t, normalize.AppendEmail, []row{
		{" Anna.Virtanen+news@GoogleMail.com ", "annavirtanen@gmail.com"},
		{"a.n.n.a@acme.fi", "a.n.n.a@acme.fi"},
		{"Anna Virtanen <ANNA@acme.fi>", "anna@acme.fi"},
		{"mailto:anna@acme.fi?subject=hi", "anna@acme.fi"},
		{"'anna@acme.fi';", "anna@acme.fi"},
		{"anna@müller.de", "anna@xn--mller-kva.de"},
		{"jörg@acme.de", "j%c3%b6rg@acme.de"},
		{"+358401@sms.fi", "+358401@sms.fi"},
		{"anna@acme.fi.", "anna@acme.fi"},
		{"info@acme.fi", "info@acme.fi"},
		{"anna@localhost", ""}, {"anna", ""}, {"@acme.fi", ""}, {"anna@", ""}, {"an na@acme.fi", ""},
		{"a@b@acme.fi", ""}, {"anna@10.0.0.1", ""}, {"anna@-x.fi", ""}, {"anna@a..fi", ""},
		{"test@test.com", ""}, {"noemail@acme.com", ""}, {"none@none.com", ""}, {"n/a", ""}, {"xxxx@acme.fi", ""},
		{".....@gmail.com", ""},
	})
	if !normalize.IsRoleMailbox([]byte("noreply@acme.fi")) || normalize.IsRoleMailbox([]byte("anna@acme.fi")) {
		t.Error("role mailboxes are not told from people")
	}
}

func TestPhone(t *testing.T) {
	check(t, normalize.Phone("fi"), []row{
		{"040 123 4567", "+358401234567"},
		{"+358 (0)40 123 4567", "+358401234567"},
		{"00358401234567", "+358401234567"},
		{"tel:+49-30-123456", "+4930123456"},
		{"+1 (212) 555-0187 ext. 12", "+12125550187"},
		{"+39 06 1234 5678", "+390612345678"},
		{"000-000", ""}, {"0000000000", ""}, {"1111111", ""}, {"withheld", ""}, {"", ""}, {"123", ""},
		{"1234567", ""}, {"+358 40 0000000", ""}, {"call Anna", ""}, {"+21012345678", ""},
	})
	check(t, normalize.Phone("de"), []row{
		{"4915551135758", "+4915551135758"}, {"49 30 2312500133", "+49302312500133"}, {"0491 2345678", "+494912345678"},
		{"+494915551135758", "+494915551135758"},
	})
	if got, ok := normalize.Phone("").Of("040 123 4567"); ok {
		t.Errorf("a national number without a region gave %q", got)
	}
}

func TestName(t *testing.T) {
	check(t, normalize.AppendName, []row{
		{"Dr. med. Jürgen Groß", "jurgen gross"},
		{"Virtanen, Anna Maria", "anna maria virtanen"},
		{"Martin King, Jr., PhD", "martin king"},
		{"Mrs Miss", "miss"},
		{"O’Neil", "oneil"},
		{"unknown", ""}, {"N/A", ""}, {"-", ""}, {"xxx", ""}, {"Mr. Unknown", ""},
	})
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string]normalize.FullName{
		"Ludwig van Beethoven":       {Given: "ludwig", Family: "van beethoven"},
		"Maria de la Cruz":           {Given: "maria", Family: "de la cruz"},
		"John Fitzgerald Kennedy Jr": {Given: "john", Middle: "fitzgerald", Family: "kennedy", Generation: "jr"},
		"Virtanen, Anna Maria":       {Given: "anna", Middle: "maria", Family: "virtanen"},
		"Madonna":                    {Family: "madonna"},
	} {
		if got, ok := normalize.SplitName(in); got != want || !ok {
			t.Errorf("%q: got %+v, %v; want %+v", in, got, ok, want)
		}
	}
}

func TestNameKey(t *testing.T) {
	a, _ := normalize.AppendNameKey(nil, "Anna", "Virtanen")
	b, _ := normalize.AppendNameKey(nil, "Virtanen Anna")
	if string(a) != "anna virtanen" || string(a) != string(b) {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestNicknames(t *testing.T) {
	for _, pair := range [][2]string{{"bill", "william"}, {"liisa", "elisabet"}, {"sepp", "josef"}, {"paco", "francisco"}, {"sasha", "aleksandr"}, {"will", "billy"}} {
		if !normalize.SameNickname([]byte(pair[0]), []byte(pair[1])) {
			t.Errorf("%v are not one name", pair)
		}
	}
	if normalize.SameNickname([]byte("anna"), []byte("erik")) || normalize.SameNickname(nil, nil) {
		t.Error("different names are one")
	}
	check(t, normalize.AppendNickname, []row{{"Bill", "william"}, {"Zaphod", "zaphod"}})
}

func TestSoundex(t *testing.T) {
	for in, want := range map[string]string{"Robert": "R163", "Rupert": "R163", "Ashcraft": "A261", "Tymczak": "T522", "Pfister": "P236", "Lee": "L000", "Honeyman": "H555"} {
		if got, _ := normalize.Func(normalize.AppendSoundex).Of(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPhonetic(t *testing.T) {
	code := normalize.Func(normalize.AppendPhonetic)
	for _, same := range [][]string{
		{"Meyer", "Maier", "Meier", "Mayr"}, {"Müller", "Mueller", "Muller"}, {"Philipp", "Filip"}, {"Katarina", "Catharina", "Katharina"},
		{"Schmidt", "Schmid", "Schmitt"}, {"Wolff", "Wolf"}, {"Johansson", "Johanson"}, {"Tchaikovsky", "Tschaikowski"}, {"Smith", "Smyth"},
		{"Kristina", "Christina"}, {"Eriksson", "Ericsson", "Erikson"},
	} {
		first, _ := code.Of(same[0])
		for _, name := range same[1:] {
			if got, _ := code.Of(name); got != first {
				t.Errorf("%s is %s, %s is %s", same[0], first, name, got)
			}
		}
	}
	for _, pair := range [][2]string{{"Anna", "Erik"}, {"Meyer", "Müller"}, {"Hall", "All"}} {
		a, _ := code.Of(pair[0])
		b, _ := code.Of(pair[1])
		if a == b {
			t.Errorf("%v share the code %s", pair, a)
		}
	}
}

func TestHandle(t *testing.T) {
	check(t, normalize.AppendHandle, []row{
		{"@AnnaV", "annav"}, {"https://twitter.com/AnnaV?lang=en", "annav"}, {"instagram.com/anna.v/", "anna.v"},
		{"@anna@Mastodon.social", "anna@mastodon.social"}, {"https://mastodon.social/@anna", "anna"},
		{"https://facebook.com/profile.php?id=1000423", "1000423"},
		{"Anna Virtanen", ""}, {"@", ""}, {"n/a", ""}, {"https://twitter.com", ""},
	})
}

func TestDomain(t *testing.T) {
	check(t, normalize.AppendDomain, []row{
		{"https://www.Acme.co.uk:8443/about?x=1", "acme.co.uk"}, {"anna@mail.acme.fi", "mail.acme.fi"}, {"WWW.acme.fi", "acme.fi"},
		{"bücher.example", "xn--bcher-kva.example"}, {"acme", ""}, {"10.1.1.1", ""}, {"", ""},
	})
	check(t, normalize.AppendCompanyDomain, []row{
		{"anna@mail.acme.co.uk", "acme.co.uk"}, {"https://shop.acme.fi", "acme.fi"}, {"anna@gmail.com", ""}, {"anna@yahoo.co.uk", ""},
	})
}

func TestPostcode(t *testing.T) {
	check(t, normalize.AppendPostcode, []row{
		{"sw1a 1aa", "SW1A1AA"}, {"FI-00100", "00100"}, {"12345-6789", "12345"}, {"111 22", "11122"}, {"D-10115", "10115"},
		{"00000", ""}, {"99999", ""}, {"n/a", ""}, {"1", ""}, {"K1A 0B1", "K1A0B1"},
	})
}

func TestStreet(t *testing.T) {
	check(t, normalize.AppendStreet, []row{
		{"12a Main Street", "main st 12a"}, {"Main St. 12 A", "main st 12a"}, {"Hauptstraße 5", "hauptstr 5"}, {"Hauptstr. 5", "hauptstr 5"},
		{"Mannerheimintie 5 B 12", "mannerheimintie 5b 12"}, {"221B Baker Street", "baker st 221b"}, {"Sveavägen 44", "sveavagen 44"},
		{"Rose Cottage", "rose cottage"}, {"12", "12"}, {"unknown", ""},
	})
}

func TestDate(t *testing.T) {
	check(t, normalize.Date(normalize.DayFirst), []row{
		{"1980-03-04", "1980-03-04"}, {"1980-03-04T23:59:01Z", "1980-03-04"}, {"19800304", "1980-03-04"}, {"4.3.1980", "1980-03-04"},
		{"04/03/1980", "1980-03-04"}, {"12/25/1980", "1980-12-25"}, {"4 March 1980", "1980-03-04"}, {"March 4th, 1980", "1980-03-04"},
		{"4. März 1980", "1980-03-04"}, {"4. maaliskuuta 1980", "1980-03-04"}, {"4 de marzo de 1980", "1980-03-04"}, {"4/3/80", "1980-03-04"},
		{"4/3/05", "2005-03-04"}, {"1980-03-04 10:11:12.5 +02:00", "1980-03-04"}, {"1980/3/4", "1980-03-04"},
		{"4 juin 1980", "1980-06-04"}, {"4 juillet 1980", "1980-07-04"}, {"4. kesäkuuta 1980", "1980-06-04"}, {"16. toukokuuta 1871", "1871-05-16"},
		{"29.2.2023", ""}, {"31.4.2023", ""}, {"0000-00-00", ""}, {"yesterday", ""}, {"1980", ""}, {"", ""}, {"12:30", ""}, {"123/4/1980", ""},
	})
	check(t, normalize.Date(normalize.MonthFirst), []row{{"03/04/1980", "1980-03-04"}, {"4.3.1980", "1980-03-04"}, {"25/12/1980", "1980-12-25"}})
	check(t, normalize.BirthDate(normalize.DayFirst), []row{{"1900-01-01", ""}, {"01.01.1970", ""}, {"1980-03-04", "1980-03-04"}})
}

func TestCompany(t *testing.T) {
	check(t, normalize.AppendCompany, []row{
		{"Acme Oy", "acme"}, {"Oy Acme Ab", "acme"}, {"ACME GmbH & Co. KG", "acme"}, {"The Acme Company, Inc.", "acme"},
		{"I.B.M. Corp.", "ibm"}, {"Société Générale S.A.", "societe generale"}, {"Johnson & Johnson", "johnson johnson"}, {"AG", "ag"},
		{"Müller s.r.o.", "muller"}, {"Nowak Sp. z o.o.", "nowak"}, {"Maersk A/S", "maersk"}, {"n/a", ""},
	})
	check(t, normalize.AppendCompanyKey, []row{{"Nokia Networks Oyj", "networks nokia"}})
}

func TestToken(t *testing.T) {
	check(t, normalize.AppendToken, []row{{" p1_m42j72zcva43oggnihbghwtndq", "p1_m42j72zcva43oggnihbghwtndq"}, {"p1_raw_3wxybibqghgjybpdreiio2c2te", ""}, {"", ""}})
}

func TestPlaceholder(t *testing.T) {
	for _, s := range []string{"", " ", "n/a", "N.A.", "Unknown", "000-000", "xxx", "-", "...", "tuntematon", "Keine Angabe", "0"} {
		if !normalize.IsPlaceholder(s) {
			t.Errorf("%q is taken for a value", s)
		}
	}
	for _, s := range []string{"Anna", "0401234567", "a", "12"} {
		if normalize.IsPlaceholder(s) {
			t.Errorf("%q is taken for a placeholder", s)
		}
	}
}
