package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// column is an example of a column: its name, its type, a few values, and the label it
// should get; "" is not personal.
type column struct {
	name   string
	typ    arrow.DataType
	values []string
	want   core.Means
}

var (
	text   = arrow.BinaryTypes.String
	whole  = arrow.PrimitiveTypes.Int64
	real   = arrow.PrimitiveTypes.Float64
	truth  = arrow.FixedWidthTypes.Boolean
	day    = arrow.FixedWidthTypes.Date32
	moment = arrow.FixedWidthTypes.Timestamp_us
)

// Values that several examples share.
var (
	mails    = []string{"anna@acme.fi", "bo.ek@firma.se", "c+x@mail.example.com", "d_e@a-b.co.uk", "erik@posti.fi", ""}
	phones   = []string{"+358 40 123 4567", "+46701234567", "+49 (30) 123456", "+44 20 7946 0018", "+1-212-555-0187"}
	national = []string{"040 123 4567", "09-123 4567", "(030) 1234-5678", "050 765 4321", "045/1234567"}
	names    = []string{"Anna Virtanen", "Erik Johansson", "Maria Schmidt", "John Smith", "Zaphod Beeblebrox"}
	firsts   = []string{"Anna", "Erik", "Maria", "José", "Aino-Kaisa"}
	lasts    = []string{"Virtanen", "von Essen", "Müller", "O'Brien", "Smith"}
	ids      = []string{"100034", "100035", "100036", "100037", "100041"}
	longIDs  = []string{"4539578763621486", "1234567890123456", "9876543210987654", "5555666677778888", "7000000000000001"}
	uuids    = []string{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "0b1d0a5e-52a7-4d0c-9d0e-4e3a6a0c3f11", "9c858901-8a57-4791-81fe-4c455b099bc9"}
	stamps   = []string{"2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z", "2026-01-04T13:04:05Z", "2025-11-04T13:04:05Z", "2025-12-04T13:04:05Z"}
	epochs   = []string{"1767225600", "1767312000", "1767398400", "1767484800", "1767571200"}
	words    = []string{"open", "closed", "pending", "open", "won"}
	prose    = []string{
		"Hi, my order has not come yet and I have been waiting for three weeks now, please call me",
		"Customer is angry because the invoice was wrong again, talked to her for a long while and promised a refund",
		"The parcel was left at the neighbour's door and nobody told us about it until the day after that",
	}
)

// personal columns.
func personalColumns() []column {
	return []column{
		{"email", text, mails, core.PersonEmail}, {"E-Mail", text, mails, core.PersonEmail}, {"emailAddress", text, nil, core.PersonEmail},
		{"customer_e_mail", text, mails, core.PersonEmail}, {"sähköposti", text, nil, core.PersonEmail}, {"Sähköpostiosoite", text, mails, core.PersonEmail},
		{"contact", text, mails, core.PersonEmail}, {"col_17", text, mails, core.PersonEmail}, {"login", text, mails, core.PersonEmail},
		{"e_post", text, nil, core.PersonEmail}, {"correo_electronico", text, mails, core.PersonEmail}, {"invitee.email", text, nil, core.PersonEmail},
		{"emails", arrow.ListOf(text), nil, core.PersonEmail}, {"properties_email", text, mails, core.PersonEmail}, {"Email1", text, mails, core.PersonEmail},
		{"email_id", text, mails, core.PersonEmail}, {"created_by", text, mails, core.PersonEmail},
		{"phone", text, phones, core.PersonPhone}, {"Phone Number", text, national, core.PersonPhone}, {"mobile", text, nil, core.PersonPhone},
		{"mobilePhone", text, phones, core.PersonPhone}, {"puhelin", text, national, core.PersonPhone}, {"puhelinnumero", text, nil, core.PersonPhone},
		{"Telefonnummer", text, national, core.PersonPhone}, {"tel", text, national, core.PersonPhone}, {"phone", whole, []string{"358401234567", "358407654321"}, core.PersonPhone},
		{"ani", text, []string{"+358401234567", "0401234567", "anonymous", "+358405551234", "0501234567"}, core.PersonPhone},
		{"x1", text, phones, core.PersonPhone}, {"fld_b", text, national, core.PersonPhone}, {"celular", text, nil, core.PersonPhone},
		{"billing_phone", text, phones, core.PersonPhone}, {"caller_id", text, phones, core.PersonPhone}, {"fax", text, nil, core.PersonPhone},
		{"first_name", text, firsts, core.PersonNameGiven}, {"firstName", text, nil, core.PersonNameGiven}, {"Vorname", text, firsts, core.PersonNameGiven},
		{"etunimi", text, firsts, core.PersonNameGiven}, {"förnamn", text, nil, core.PersonNameGiven}, {"prénom", text, firsts, core.PersonNameGiven},
		{"given_name", text, nil, core.PersonNameGiven}, {"FNAME", text, firsts, core.PersonNameGiven},
		{"last_name", text, lasts, core.PersonNameFamily}, {"Nachname", text, lasts, core.PersonNameFamily}, {"sukunimi", text, nil, core.PersonNameFamily},
		{"surname", text, lasts, core.PersonNameFamily}, {"Apellidos", text, lasts, core.PersonNameFamily}, {"efternamn", text, nil, core.PersonNameFamily},
		{"full_name", text, names, core.PersonNameFull}, {"customer_name", text, names, core.PersonNameFull}, {"name", text, names, core.PersonNameFull},
		{"name1", text, names, core.PersonNameFull}, {"Ansprechpartner", text, names, core.PersonNameFull}, {"agent_name", text, nil, core.PersonNameFull},
		{"assigned_to", text, names, core.PersonNameFull}, {"displayName", text, names, core.PersonNameFull}, {"yhteyshenkilö", text, nil, core.PersonNameFull},
		{"date_of_birth", day, nil, core.PersonBirthDate}, {"dob", text, []string{"1980-03-04", "4.3.1980", "1975-12-31", "", "1.1.2001"}, core.PersonBirthDate},
		{"Geburtsdatum", text, nil, core.PersonBirthDate}, {"syntymäaika", day, nil, core.PersonBirthDate}, {"birthday", moment, nil, core.PersonBirthDate},
		{"gender", text, []string{"m", "f", "x"}, core.PersonGender}, {"sukupuoli", text, nil, core.PersonGender},
		{"ip", text, []string{"81.2.69.142", "2a00:1450::8", "10.0.0.4"}, core.PersonIP}, {"client_ip", text, nil, core.PersonIP},
		{"remote_addr", text, []string{"81.2.69.142", "93.184.216.34", "10.0.0.4", "203.0.113.9", "198.51.100.7"}, core.PersonIP},
		{"src", text, []string{"81.2.69.142", "93.184.216.34", "217.30.180.1", "203.0.113.9", "198.51.100.7"}, core.PersonIP},
		{"ssn", text, []string{"123-45-6789", "321-54-9876"}, core.PersonNationalID}, {"hetu", text, []string{"131052-308T", "010594Y9032"}, core.PersonNationalID},
		{"tunnus", text, []string{"131052-308T", "010594Y9032", "131052-308T"}, core.PersonNationalID}, {"personnummer", text, nil, core.PersonNationalID},
		{"nif", text, []string{"12345678Z", "87654321X", "X1234567L"}, core.PersonNationalID}, {"cf", text, []string{"RSSMRA85T10A562S", "VRDGPP70A01H501V", "BNCLRA90D50F205X"}, core.PersonNationalID},
		{"iban", text, []string{"FI21 1234 5600 0007 85", "DE89370400440532013000"}, core.PersonIBAN},
		{"acct", text, []string{"FI2112345600000785", "DE89370400440532013000", "GB29NWBK60161331926819"}, core.PersonIBAN},
		{"card_number", text, []string{"4111 1111 1111 1111", "5500005555555559"}, core.PersonIBAN},
		{"street", text, []string{"Main St 5", "Hauptstr. 12", "Rue de Lille 4"}, core.AddressStreet}, {"address_line_1", text, nil, core.AddressStreet},
		{"katuosoite", text, nil, core.AddressStreet}, {"billing_address", text, []string{"Mannerheimintie 5 A, 00100 Helsinki", "x-katu 4", "Kauppatori"}, core.AddressStreet},
		{"zip", text, []string{"00100", "10115"}, core.AddressPostcode}, {"plz", whole, []string{"10115", "80331"}, core.AddressPostcode}, {"postal_code", text, nil, core.AddressPostcode},
		{"cookie_id", text, uuids, core.DeviceCookie}, {"visitor_id", text, uuids, core.DeviceCookie}, {"anonymousId", text, nil, core.DeviceCookie},
		{"cid", text, []string{"1234567890.1767225600", "GA1.2.987654321.1767225600", "192837465.1767312000"}, core.DeviceCookie}, {"idfa", text, nil, core.DeviceCookie},
		{"user_agent", text, nil, core.DeviceUserAgent}, {"ua", text, []string{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Mozilla/5.0 (iPhone)", "curl/8"}, core.DeviceUserAgent},
		{"username", text, []string{"annav", "erik.j", "zaphod_b"}, core.SocialHandle}, {"twitter_handle", text, nil, core.SocialHandle}, {"screen_name", text, nil, core.SocialHandle},
		{"who", text, []string{"@annav", "@erik.j", "@zaphod_b"}, core.SocialHandle},
		{"message", text, prose, core.TextFree}, {"comment", text, nil, core.TextFree}, {"transcript", text, prose, core.TextFree}, {"notes", text, prose, core.TextFree},
		{"content", text, prose, core.TextFree}, {"payload", text, []string{"please call me at anna@acme.fi today", "nothing to see here now", "reach me on +358401234567 after six"}, core.TextFree},
	}
}

// plainColumns are not personal.
func plainColumns() []column {
	return []column{
		{"id", whole, ids, ""}, {"id", text, ids, ""}, {"id", text, uuids, ""}, {"customer_id", whole, ids, ""}, {"order_id", text, longIDs, ""}, {"order_number", whole, longIDs, ""},
		{"external_id", text, []string{"0031x00000AbCdE", "0031x00000AbCdF", "0031x00000AbCdG"}, ""}, {"invoice_no", text, []string{"2026-000123", "2026-000124", "2026-000125"}, ""},
		{"reference", text, []string{"1234561", "1234574", "1234587", "1234590", "1234600"}, ""}, {"sku", text, []string{"AB-1234-XL", "AB-1235-S", "CC-9999-M"}, ""},
		{"ean", text, []string{"4006381333931", "5901234123457", "6408430000135"}, ""}, {"gtin", whole, []string{"4006381333931", "5901234123457"}, ""},
		{"created_at", moment, nil, ""}, {"created_at", text, stamps, ""}, {"updated", whole, epochs, ""}, {"ts", text, epochs, ""}, {"timestamp_ms", whole, []string{"1767225600123", "1767225600124"}, ""},
		{"date", text, []string{"2026-01-02", "2026-02-03", "2026-03-04"}, ""}, {"order_date", day, nil, ""}, {"due", text, []string{"02/01/2026", "03/02/2026", "04.03.2026"}, ""},
		{"time", text, []string{"12:30:00", "13:45:10", "00:00:01"}, ""}, {"duration", whole, []string{"3600", "12", "88"}, ""}, {"period", text, []string{"2026-01", "2026-02", "2026-03"}, ""},
		{"amount", real, nil, ""}, {"total", text, []string{"1 234,50", "99,00", "12 000 000,00"}, ""}, {"price", text, []string{"12.50", "1234.00", "0.99"}, ""}, {"vat", real, nil, ""},
		{"currency", text, []string{"EUR", "SEK", "USD"}, ""}, {"status", text, words, ""}, {"stage", text, words, ""}, {"type", text, words, ""},
		{"email_status", text, words, ""}, {"email_verified", truth, nil, ""}, {"email_verified", text, []string{"true", "false", "true"}, ""}, {"email_opt_in", truth, nil, ""},
		{"email_count", whole, ids, ""}, {"emails_sent", whole, ids, ""}, {"email_sent_at", moment, nil, ""}, {"email_template", text, words, ""}, {"email_subject", text, []string{"Spring sale", "New shoes", "Last chance"}, ""},
		{"email_campaign_id", whole, ids, ""}, {"email_id", whole, ids, ""}, {"email", truth, nil, ""}, {"email_type", text, words, ""}, {"email", text, []string{"weekly", "monthly", "never", "weekly", "daily", "never"}, ""},
		{"phone_type", text, words, ""}, {"has_phone", truth, nil, ""}, {"phone_calls", whole, []string{"3", "4", "1"}, ""}, {"mobile_app_version", text, []string{"1.2.3", "1.2.4", "2.0.0"}, ""},
		{"mobile", truth, nil, ""}, {"mobile_sessions", whole, ids, ""}, {"is_mobile", text, []string{"0", "1", "0"}, ""}, {"mobile", text, []string{"yes", "no", "yes", "yes", "no"}, ""},
		{"product_name", text, []string{"Winter Boots", "Rain Coat", "Summer Hat"}, ""}, {"name", text, []string{"Winter Boots", "Rain Coat", "Summer Hat", "Wool Socks", "Red Scarf"}, ""},
		{"name", text, nil, ""}, {"campaign_name", text, []string{"spring_2026", "summer_2026", "brand"}, ""}, {"event_name", text, []string{"page_view", "purchase", "login"}, ""},
		{"file_name", text, []string{"a.csv", "b.csv", "c.csv"}, ""}, {"hostname", text, []string{"web-1", "web-2", "db-1"}, ""}, {"company_name", text, []string{"Acme Oy", "Globex GmbH", "Initech Ltd"}, ""},
		{"queue_name", text, []string{"support", "sales", "billing"}, ""}, {"table_name", text, words, ""}, {"channel", text, words, ""}, {"page_title", text, []string{"Home", "About us", "Contact"}, ""},
		{"department", text, []string{"sales", "finance", "support"}, ""}, {"city", text, []string{"Helsinki", "Berlin", "Turku"}, ""}, {"country", text, []string{"FI", "DE", "SE"}, ""},
		{"region", text, []string{"Uusimaa", "Bayern", "Skåne"}, ""}, {"language", text, []string{"fi", "en-GB", "sv"}, ""}, {"timezone", text, []string{"Europe/Helsinki", "UTC", "Asia/Tokyo"}, ""},
		{"url", text, []string{"https://acme.fi/a?x=1", "https://acme.fi/b", "https://acme.fi/c/d"}, ""}, {"path", text, []string{"/a/b", "/c", "/d/e/f"}, ""}, {"referrer", text, []string{"https://google.com/", "-", "https://bing.com/"}, ""},
		{"domain", text, []string{"acme.fi", "globex.de", "initech.com"}, ""}, {"email_domain", text, []string{"acme.fi", "globex.de", "initech.com"}, ""}, {"mac_os_version", text, []string{"14.1", "13.2", "12.0"}, ""},
		{"version", text, []string{"1.2.3.4", "1.2.3.5", "2.0.0.1", "3.1.4.1", "1.9.9.9"}, ""}, {"server_ip", text, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}, ""},
		{"ip_address_count", whole, ids, ""}, {"zip_file", text, []string{"a.zip", "b.zip", "c.zip", "d.zip", "e.zip"}, ""}, {"latitude", real, nil, ""}, {"quantity", whole, ids, ""},
		{"score", whole, []string{"7", "9", "10"}, ""}, {"nps", whole, []string{"7", "9", "10"}, ""}, {"rating", real, nil, ""}, {"session_id", text, uuids, ""}, {"request_id", text, uuids, ""},
		{"hash", text, []string{"5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7", "9bf31c7ff062936a96d3c8bd1f8f2ff3"}, ""},
		{"account_number", text, ids, ""}, {"account_id", whole, ids, ""}, {"vat_id", text, []string{"FI12345671", "DE136695976", "SE556703748501"}, ""}, {"business_id", text, []string{"1234567-1", "7654321-2", "2345678-3"}, ""},
		{"tracking_no", text, []string{"JJFI61234567890123456", "JJFI61234567890123457", "JJFI61234567890123458"}, ""}, {"isbn", text, []string{"978-3-16-148410-0", "978-0-306-40615-7", "978-1-86197-876-9"}, ""},
		{"description", text, []string{"Warm boots", "Light coat", "Straw hat"}, ""}, {"json", text, []string{`{"a": 1, "b": [1, 2, 3]}`, `{"a": 2}`, `{}`}, ""}, {"tags", arrow.ListOf(text), nil, ""},
		{"is_deleted", truth, nil, ""}, {"color", text, []string{"red", "blue", "green"}, ""}, {"weight_kg", real, nil, ""},
		{"message_id", text, uuids, ""}, {"message_count", whole, ids, ""}, {"comments_count", whole, ids, ""}, {"review_score", whole, []string{"5", "4"}, ""}, {"note_type", text, words, ""}, {"body_size", whole, ids, ""},
		{"utm_source", text, []string{"google", "newsletter", "bing"}, ""}, {"utm_campaign", text, []string{"spring", "summer", "brand_fi"}, ""}, {"sex_ratio", real, nil, ""}, {"street_count", whole, ids, ""},
		{"username_taken", truth, nil, ""}, {"cookie_consent", text, []string{"all", "none", "some"}, ""}, {"device_type", text, []string{"mobile", "desktop", "tablet"}, ""}, {"browser", text, []string{"Firefox", "Safari", "Chrome"}, ""},
		{"title", text, []string{"CTO", "Head of Sales", "Buyer"}, ""}, {"code", text, []string{"A-1", "B-2", "C-3"}, ""}, {"via", text, []string{"api", "web", "email"}, ""}, {"pan", text, []string{"left", "right", "left", "left", "left"}, ""},
	}
}

// sample builds an array of a column's values; nil when it has none.
func (c column) sample(t *testing.T) arrow.Array {
	if c.values == nil {
		return nil
	}
	b := array.NewBuilder(memory.DefaultAllocator, c.typ)
	defer b.Release()
	for _, v := range c.values {
		if err := b.AppendValueFromString(v); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	return b.NewArray()
}

func (c column) String() string { return fmt.Sprintf("%s %s %d values", c.name, c.typ, len(c.values)) }

func TestClassifyPrecisionAndRecall(t *testing.T) {
	var right, wrong, missed, clean int
	for _, c := range append(personalColumns(), plainColumns()...) {
		found := plan.Classify(arrow.Field{Name: c.name, Type: c.typ}, c.sample(t))
		switch {
		case len(found) == 0 && c.want == "":
			clean++
		case len(found) == 0:
			missed++
			t.Errorf("%v is %s and was not noticed", c, c.want)
		case found[0].Means == c.want:
			right++
		default:
			wrong++
			t.Errorf("%v is %q and was taken for %+v", c, c.want, found[0])
		}
		for _, f := range found {
			for _, v := range c.values {
				if len(v) > 2 && strings.Contains(f.Reason, v) {
					t.Errorf("%v: the reason repeats a value: %s", c, f.Reason)
				}
			}
			if f.Confidence < 0.5 || f.Confidence > 1 || !f.Means.Personal() || f.Reason == "" {
				t.Errorf("%v: %+v", c, f)
			}
		}
	}
	t.Logf("%d columns: %d right, %d clean, %d wrong, %d missed", right+clean+wrong+missed, right, clean, wrong, missed)
}
