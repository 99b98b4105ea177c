package plan_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// productColumns are columns as common products name them. The rules were not made with
// them in view, so they tell how often the rules are right on tables not seen before.
func productColumns() []column {
	return []column{
		// a CRM
		{"hs_object_id", whole, ids, ""}, {"firstname", text, firsts, core.PersonNameGiven}, {"lastname", text, lasts, core.PersonNameFamily},
		{"hs_email_domain", text, []string{"acme.fi", "globex.de", "acme.fi"}, ""}, {"mobilephone", text, national, core.PersonPhone}, {"company", text, []string{"Acme Oy", "Globex"}, ""},
		{"jobtitle", text, []string{"Buyer", "Head of Sales", "CTO"}, ""}, {"website", text, []string{"acme.fi", "https://globex.de"}, ""}, {"lifecyclestage", text, words, ""},
		{"hubspot_owner_id", text, ids, ""}, {"createdate", text, stamps, ""}, {"num_associated_deals", whole, ids, ""}, {"hs_ip_timezone", text, []string{"europe_slash_helsinki", "europe_slash_berlin"}, ""},
		{"state", text, []string{"Bayern", "Uusimaa", "Texas"}, ""}, {"zip", text, []string{"00100", "10115", "78701"}, core.AddressPostcode}, {"address", text, []string{"Main St 5", "Hauptstr. 12"}, core.AddressStreet},
		{"twitterhandle", text, []string{"annav", "erikj"}, core.SocialHandle}, {"hs_email_optout", text, []string{"true", "false"}, ""}, {"hs_email_bounce", whole, nil, ""},
		{"notes_last_updated", text, stamps, ""}, {"hs_language", text, []string{"fi", "de"}, ""}, {"work_email", text, mails, core.PersonEmail}, {"hs_calculated_phone_number", text, phones, core.PersonPhone},
		// a help desk
		{"requester_id", whole, ids, ""}, {"subject", text, []string{"Invoice wrong", "Where is my order", "Thanks"}, ""}, {"via_channel", text, []string{"web", "email", "api"}, ""},
		{"satisfaction_score", text, []string{"good", "bad", "good"}, ""}, {"comment_body", text, prose, core.TextFree}, {"author_name", text, names, core.PersonNameFull}, {"html_body", text, prose, core.TextFree},
		{"collaborator_ids", arrow.ListOf(whole), nil, ""}, {"time_zone", text, []string{"Helsinki", "Berlin"}, ""}, {"photo_url", text, []string{"https://x.example/a.png", "https://x.example/b.png"}, ""},
		{"description", text, prose, core.TextFree}, {"requester_email", text, mails, core.PersonEmail}, {"priority", text, words, ""}, {"recipient", text, mails, core.PersonEmail},
		// a shop
		{"order_name", text, []string{"#1001", "#1002", "#1003"}, ""}, {"customer_email", text, mails, core.PersonEmail}, {"billing_address_name", text, names, core.PersonNameFull},
		{"shipping_address_phone", text, phones, core.PersonPhone}, {"browser_ip", text, []string{"81.2.69.142", "93.184.216.34", "203.0.113.9"}, core.PersonIP}, {"landing_site", text, []string{"/", "/sale?x=1"}, ""},
		{"total_price", text, []string{"12.00", "99.50", "1045.00"}, ""}, {"gateway", text, []string{"paypal", "klarna"}, ""}, {"cart_token", text, uuids, ""}, {"checkout_token", text, uuids, ""},
		{"source_name", text, []string{"web", "pos"}, ""}, {"fulfillment_status", text, words, ""}, {"line_item_title", text, []string{"Winter Boots", "Rain Coat", "Wool Socks"}, ""}, {"vendor", text, []string{"Acme", "Globex"}, ""},
		{"gift_card_code", text, []string{"ABCD-EFGH-1234", "IJKL-MNOP-5678"}, ""}, {"discount_code", text, []string{"SPRING10", "VIP20"}, ""}, {"shipping_address1", text, []string{"Main St 5", "Hauptstr. 12"}, core.AddressStreet},
		// a telephone exchange
		{"src", text, []string{"+358401234567", "+46701234567", "+4930123456"}, core.PersonPhone}, {"clid", text, []string{`"Anna" <+358401234567>`, "+358401234567", "+46701234567", "+4930123456"}, core.PersonPhone},
		{"dstchannel", text, []string{"PJSIP/200-0000001", "PJSIP/201-0000002"}, ""}, {"lastapp", text, []string{"Dial", "Queue"}, ""}, {"uniqueid", text, []string{"1767225600.17", "1767225612.18", "1767225700.19"}, ""},
		{"billsec", whole, []string{"12", "300"}, ""}, {"disposition", text, []string{"ANSWERED", "BUSY"}, ""}, {"queuename", text, []string{"sales", "support"}, ""}, {"agent", text, []string{"PJSIP/200", "PJSIP/201"}, ""},
		{"data1", text, []string{"1", "5", ""}, ""}, {"extension", text, []string{"200", "201"}, ""},
		// payments
		{"last4", text, []string{"4242", "1111"}, ""}, {"exp_month", whole, []string{"1", "12"}, ""}, {"receipt_email", text, mails, core.PersonEmail}, {"payment_intent", text, []string{"pi_3MtwBw", "pi_3MtwBx"}, ""},
		{"debtor_iban", text, []string{"FI2112345600000785", "DE89370400440532013000"}, core.PersonIBAN}, {"bic", text, []string{"NDEAFIHH", "COBADEFF"}, ""}, {"end_to_end_id", text, []string{"NOTPROVIDED", "E2E-1"}, ""},
		{"creditor_reference", text, []string{"RF18539007547034", "RF712348231"}, ""}, {"cardholder_name", text, names, core.PersonNameFull},
		// web analytics
		{"user_pseudo_id", text, []string{"1234567890.1767225600", "987654321.1767225600", "192837465.1767312000"}, core.DeviceCookie}, {"geo_city", text, []string{"Helsinki", "Turku"}, ""},
		{"device_category", text, []string{"mobile", "desktop"}, ""}, {"page_location", text, []string{"https://acme.fi/", "https://acme.fi/a"}, ""}, {"event_timestamp", whole, []string{"1767225600123456", "1767225601123456"}, ""},
		{"ga_session_id", whole, epochs, ""}, {"gclid", text, []string{"Cj0KCQiA1", "EAIaIQobChMI"}, ""}, {"event_params", arrow.MapOf(text, text), nil, ""}, {"browser_version", text, []string{"120.0.6099.109", "121.0"}, ""},
		// a social network
		{"acct", text, []string{"annav", "erik@mastodon.social"}, core.SocialHandle}, {"display_name", text, names, core.PersonNameFull}, {"followers_count", whole, ids, ""}, {"in_reply_to_id", text, longIDs, ""},
		{"content", text, prose, core.TextFree}, {"avatar", text, []string{"https://x.example/a.png", "https://x.example/b.png"}, ""}, {"bot", truth, nil, ""}, {"visibility", text, []string{"public", "direct"}, ""},
		// an ERP
		{"partner_name", text, []string{"Acme Oy", "Globex GmbH", "Initech Ltd"}, ""}, {"vat", text, []string{"FI12345671", "DE136695976"}, ""}, {"street2", text, []string{"c/o Smith", "4th floor"}, core.AddressStreet},
		{"lang", text, []string{"fi_FI", "de_DE"}, ""}, {"move_name", text, []string{"INV/2026/0001", "INV/2026/0002"}, ""}, {"payment_reference", text, []string{"RF18 5390 0754 7034", "1234561"}, ""},
		{"asiakasnro", text, ids, ""}, {"Kundennr", whole, ids, ""}, {"ytunnus", text, []string{"1234567-1", "7654321-2"}, ""}, {"Kundenname", text, names, core.PersonNameFull}, {"laskutusosoite", text, []string{"Mannerheimintie 5", "Kauppakatu 1 A 2"}, core.AddressStreet},
		{"Straße", text, []string{"Hauptstr. 12", "Am Markt 3"}, core.AddressStreet}, {"tilausnumero", whole, ids, ""}, {"toimituspvm", day, nil, ""}, {"Geb.-Datum", day, nil, core.PersonBirthDate}, {"postitoimipaikka", text, []string{"Helsinki", "Turku"}, ""},
	}
}

// TestClassifyProducts bounds how often the rules are wrong on tables they were not made
// for: false alarms stop a plan, so they must be rare; what is missed must be rarer than
// one in ten.
func TestClassifyProducts(t *testing.T) {
	var personal, noticed, alarms, wrong int
	for _, c := range productColumns() {
		found := plan.Classify(arrow.Field{Name: c.name, Type: c.typ}, c.sample(t))
		if c.want != "" {
			personal++
		}
		switch {
		case c.want == "" && len(found) > 0:
			alarms++
			t.Logf("false alarm: %v: %+v", c, found[0])
		case c.want != "" && len(found) == 0:
			t.Logf("missed: %v is %s", c, c.want)
		case c.want != "":
			noticed++
			if found[0].Means != c.want {
				wrong++
				t.Logf("other meaning: %v is %s: %+v", c, c.want, found[0])
			}
		}
	}
	precision, recall := float64(noticed)/float64(noticed+alarms), float64(noticed)/float64(personal)
	t.Logf("%d columns, %d personal: precision %.3f, recall %.3f, %d with another meaning", len(productColumns()), personal, precision, recall, wrong)
	if precision < 0.95 || recall < 0.9 {
		t.Errorf("precision %.3f, recall %.3f", precision, recall)
	}
}
