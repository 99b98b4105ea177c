package plan

import "github.com/unsilo/unsilo/core"

// check is how one meaning is recognised.
type check struct {
	means core.Means
	kinds kinds
	// what the values are, for the reason.
	what string
	// value tests one value of a column whose name says nothing; hintedValue may be laxer
	// under a name that hints at the meaning. Both nil: the name alone decides.
	value, hintedValue func(string) bool
	// confirms is the share of values that supports a hint; with less the hint is taken
	// for a coincidence. alone is the share that suffices without one; 0 means never.
	confirms, alone float64
}

type kinds []kind

func (ks kinds) has(k kind) bool {
	for _, each := range ks {
		if each == k {
			return true
		}
	}
	return false
}

// checks lists them, strictest first, since of equally sure findings the first stands.
func checks() []check {
	text, textOrInteger := kinds{kindText}, kinds{kindText, kindInteger}
	return []check{
		{means: core.PersonEmail, kinds: text, what: "e-mail addresses", value: isEmail, confirms: 0.02, alone: 0.3},
		{means: core.PersonIBAN, kinds: textOrInteger, what: "account or card numbers", value: isAccount, confirms: 0.2, alone: 0.7},
		{means: core.PersonNationalID, kinds: textOrInteger, what: "national identity numbers", value: isNationalID, hintedValue: mayBeNationalID, confirms: 0.3, alone: 0.8},
		{means: core.PersonIP, kinds: text, what: "IP addresses", value: isPublicIP, hintedValue: isIP, confirms: 0.3, alone: 0.6},
		{means: core.DeviceUserAgent, kinds: text, what: "browser identifications", value: isUserAgent, confirms: 0.05, alone: 0.3},
		{means: core.PersonPhone, kinds: textOrInteger, what: "phone numbers", value: isPhone, hintedValue: mayBePhone, confirms: 0.2, alone: 0.7},
		{means: core.DeviceCookie, kinds: text, what: "browser ids", value: isAnalyticsID, hintedValue: mayBeDeviceID, confirms: 0.3, alone: 0.7},
		{means: core.SocialHandle, kinds: text, what: "account names", value: isHandle, hintedValue: mayBeHandle, confirms: 0.5, alone: 0.7},
		{means: core.PersonBirthDate, kinds: kinds{kindText, kindDay, kindInteger}, what: "dates", hintedValue: mayBeDate, confirms: 0.3},
		{means: core.PersonGender, kinds: text, what: "short words", hintedValue: mayBeGender, confirms: 0.5},
		{means: core.PersonNameGiven, kinds: text, what: "names", hintedValue: mayBeName, confirms: 0.5},
		{means: core.PersonNameFamily, kinds: text, what: "names", hintedValue: mayBeName, confirms: 0.5},
		{means: core.PersonNameFull, kinds: text, what: "names of people", value: isFullName, hintedValue: mayBeName, confirms: 0.5, alone: 0.4},
		{means: core.AddressStreet, kinds: text, what: "addresses", value: isStreet, hintedValue: mayBeStreet, confirms: 0.3},
		{means: core.AddressPostcode, kinds: textOrInteger, what: "postcodes", hintedValue: mayBePostcode, confirms: 0.3},
		{means: core.TextFree, kinds: text, what: "free text, or hold addresses or numbers of people", value: isTelling, hintedValue: isProse, confirms: 0.2, alone: 0.4},
	}
}
