// Package wirev1 is the generated form of plugin.proto, version 1 of the border between
// unsilo and a plugin. Package wire converts it to and from the nouns of core; nothing
// else should use it.
//
// Regenerate with `go generate ./plugins/wire/v1` (see generate.sh for what it needs).
package wirev1

//go:generate ./generate.sh
