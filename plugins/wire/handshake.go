package wire

import (
	plugin "github.com/hashicorp/go-plugin"
)

// Version is the version of the border that this build speaks.
const Version = 1

// PluginName is the name under which a plugin process serves its connectors.
const PluginName = "connectors"

// BinaryPrefix stands before the family in the file name of a plugin.
const BinaryPrefix = "unsilo-plugin-"

// Environment variables the host sets for a plugin besides go-plugin's own.
const (
	// EnvHostPID holds the host's process id. When it is set, the plugin watches that
	// process and its own standard input, and exits when either is gone.
	EnvHostPID = "UNSILO_HOST_PID"
)

// Handshake is what tells a plugin that unsilo started it. It is no secret.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  Version,
		MagicCookieKey:   "UNSILO_PLUGIN",
		MagicCookieValue: "a2f5c1f0-5c1b-4f6e-9d7e-silo",
	}
}
