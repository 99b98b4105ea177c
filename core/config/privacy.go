package config

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

var (
	regionSyntax = regexp.MustCompile(`^[A-Z]{2}$`)
	keyIDSyntax  = regexp.MustCompile(`^[A-Za-z0-9]{1,16}$`)
)

func (l *loader) privacy(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		values := l.attributes(b, fieldsOf{owner: "privacy", fields: []core.Field{
			{Name: "key", Type: core.TypeString, Secret: true, Help: "the key of the hmac mask"},
			{Name: "key_id", Type: core.TypeString, Help: "a name for the key, written before each token"},
			{Name: "default_region", Type: core.TypeString, Help: "the country of phone numbers without a country code"},
		}})
		p := &l.project.Privacy
		p.Range = rangeOf(b.DefRange())
		if ref, ok := values["key"].(core.SecretRef); ok {
			p.Key = &ref
		}
		p.KeyID = l.matching(b, values, "key_id", keyIDSyntax, "one to sixteen letters and digits", "k1")
		p.DefaultRegion = l.matching(b, values, "default_region", regionSyntax, "a country code of two capital letters", "FI")
		if p.KeyID != "" && b.Body.Attributes["key"] == nil {
			l.fail(valueRange(b, "key_id"), "key_id without a key", "It names the key that tokens were made with.",
				`Write key = secret("env:PRIVACY_KEY")`)
		}
	}
}

// matching gives a text attribute of a certain form; "" when it is absent or wrong.
func (l *loader) matching(b *hclsyntax.Block, values map[string]any, name string, form *regexp.Regexp, words, example string) string {
	v, ok := values[name]
	if !ok {
		return ""
	}
	s, _ := v.(string)
	if !form.MatchString(s) {
		l.fail(valueRange(b, name), fmt.Sprintf("Wrong value for %q", name), fmt.Sprintf("It takes %s.", words),
			fmt.Sprintf("Write %s = %q", name, example))
		return ""
	}
	return s
}

// checkKeys reports hmac masks in a project that has no key for them.
func (l *loader) checkKeys() {
	if _, ok := l.project.blocks["privacy"]; ok && l.project.Privacy.Key != nil {
		return
	}
	if b, ok := l.project.blocks["privacy"]; ok && b.Body.Attributes["key"] != nil {
		return // there is one, with a mistake that has been reported
	}
	for _, s := range l.project.Sources {
		for _, st := range s.Streams {
			for _, column := range sortedKeys(st.Mask) {
				if st.Mask[column] == maskHMAC {
					b := l.project.blocks["source."+s.Name]
					l.fail(locate(b, []string{"stream", st.Name, "mask", column}), "The hmac mask needs a key",
						"Without a key, tokens could be guessed by hashing likely values.",
						`Write privacy { key = secret("env:PRIVACY_KEY") }`)
					return
				}
			}
		}
	}
}
