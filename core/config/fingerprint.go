package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// Fingerprint identifies what a position in a stream depends on: the connector, where it
// reads, what it reads, the cursor and the key. A position is good only under the
// fingerprint it was made with. Secrets, how fast to read, and masks are not part of it.
func (s Source) Fingerprint(stream string) string {
	parts := struct {
		Kind, Stream  string
		Place, Values map[string]any
		Cursor        string
		Key           []string
	}{Kind: s.Kind, Stream: stream, Place: map[string]any{}, Values: map[string]any{}}
	for _, f := range s.Spec.Fields {
		if v, ok := s.Values[f.Name]; ok && (f.Path || placeName(f.Name)) {
			parts.Place[f.Name] = v
		}
	}
	for _, st := range s.Streams {
		if st.Name != stream {
			continue
		}
		parts.Cursor, parts.Key = st.Cursor, st.PrimaryKey
		for _, f := range s.Spec.StreamFields {
			if v, ok := st.Values[f.Name]; ok && !f.Secret && saysWhat(f.Type) {
				parts.Values[f.Name] = v
			}
		}
	}
	// Maps are written with sorted keys, and the values are plain data.
	text, err := json.Marshal(parts)
	if err != nil {
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// placeName reports whether an attribute of this name says where data come from.
func placeName(name string) bool {
	return strings.HasSuffix(name, "_url") || strings.HasSuffix(name, "_path") || slices.Contains([]string{
		"url", "path", "paths", "host", "port", "database", "schema", "catalog", "endpoint", "bucket", "prefix",
		"account", "project", "site", "domain", "subdomain", "tenant", "instance", "workspace", "organization", "dialect",
	}, name)
}

// saysWhat reports whether a stream attribute of this type can change which rows are
// read; numbers, switches and durations change how.
func saysWhat(t core.FieldType) bool {
	return t != core.TypeInt && t != core.TypeFloat && t != core.TypeBool && t != core.TypeDuration
}
