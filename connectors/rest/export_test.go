package rest

// RefusePrivate is what stands between a public name and a private address.
var RefusePrivate = refusePrivate

// LinkTo finds a link in a Link header.
func LinkTo(value, rel string) string { return linkTo(header{"Link": {value}}, rel) }
