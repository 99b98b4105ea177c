package core

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// MeansKey is the Arrow field metadata key that says what a column is.
const MeansKey = "unsilo.means"

// What masks leave in a field's metadata.
const (
	// MaskKey names the mask that the values went through: "hmac".
	MaskKey = "unsilo.mask"
	// NormalizerKey is the version of the rules that brought the values to one spelling
	// before they were masked; tokens of different versions do not join.
	NormalizerKey = "unsilo.normalizer"
)

// Means is what a column is, from a closed vocabulary.
type Means string

// The vocabulary. person.id.<system> takes any lower-case system name.
const (
	PersonEmail      Means = "person.email"
	PersonPhone      Means = "person.phone"
	PersonNameGiven  Means = "person.name.given"
	PersonNameFamily Means = "person.name.family"
	PersonNameFull   Means = "person.name.full"
	PersonBirthDate  Means = "person.birth_date"
	PersonGender     Means = "person.gender"
	PersonIP         Means = "person.ip"
	PersonNationalID Means = "person.national_id"
	PersonIBAN       Means = "person.iban"
	AddressStreet    Means = "person.address.street"
	AddressCity      Means = "person.address.city"
	AddressPostcode  Means = "person.address.postcode"
	AddressRegion    Means = "person.address.region"
	AddressCountry   Means = "person.address.country"
	DeviceCookie     Means = "device.cookie"
	DeviceUserAgent  Means = "device.user_agent"
	SocialHandle     Means = "social.handle"
	CompanyDomain    Means = "company.domain"
	CompanyName      Means = "company.name"
	CompanyID        Means = "company.id"
	EventTime        Means = "event.time"
	EventType        Means = "event.type"
	EventChannel     Means = "event.channel"
	MoneyAmount      Means = "money.amount"
	MoneyCurrency    Means = "money.currency"
	SurveyScore      Means = "survey.score"
	CampaignID       Means = "campaign.id"
	CampaignName     Means = "campaign.name"
	TextFree         Means = "text.free"
	// NotPersonal is a person's word that a column, whatever its name, holds nothing
	// personal.
	NotPersonal Means = "none"

	personIDPrefix = "person.id."
)

// PersonID is the meaning of a column that holds the person's id in a system.
func PersonID(system string) Means { return Means(personIDPrefix + system) }

// Vocabulary lists every meaning but the person.id.<system> family.
func Vocabulary() []Means {
	return []Means{
		PersonEmail, PersonPhone, PersonNameGiven, PersonNameFamily, PersonNameFull, PersonBirthDate,
		PersonGender, PersonIP, PersonNationalID, PersonIBAN, AddressStreet, AddressCity, AddressPostcode,
		AddressRegion, AddressCountry, DeviceCookie, DeviceUserAgent, SocialHandle, CompanyDomain, CompanyName,
		CompanyID, EventTime, EventType, EventChannel, MoneyAmount, MoneyCurrency, SurveyScore, CampaignID,
		CampaignName, TextFree, NotPersonal,
	}
}

// Valid reports whether m is in the vocabulary.
func (m Means) Valid() bool {
	if system, ok := strings.CutPrefix(string(m), personIDPrefix); ok {
		return system != "" && strings.Trim(system, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	}
	return slices.Contains(Vocabulary(), m)
}

// Personal reports whether values of this meaning tell who a person is or what they
// said, and so may need a mask.
func (m Means) Personal() bool {
	s := string(m)
	return strings.HasPrefix(s, "person.") || strings.HasPrefix(s, "device.") || m == SocialHandle || m == TextFree
}

// MeansOf reads the meaning from a field's metadata; "" when it has none.
func MeansOf(f arrow.Field) Means {
	v, _ := f.Metadata.GetValue(MeansKey)
	return Means(v)
}

// WithMeans returns the field with the meaning in its metadata; "" removes it.
func WithMeans(f arrow.Field, m Means) arrow.Field {
	meta := f.Metadata.ToMap()
	if meta == nil {
		meta = map[string]string{}
	}
	delete(meta, MeansKey)
	if m != "" {
		meta[MeansKey] = string(m)
	}
	f.Metadata = arrow.MetadataFrom(meta)
	return f
}
