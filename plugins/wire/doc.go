// Package wire is what both sides of the process border share: the handshake, the
// conversion between the nouns of core and the messages of wire/v1, and the frames that
// carry rows.
//
// It trusts nothing it decodes. Rows arrive as Arrow IPC messages whose tables are read
// by a bounds-checked reader of its own; every length, offset and count is checked
// against bytes that are really there before an Arrow array is made of them, so hostile
// input costs an error and never more memory than a small multiple of itself.
//
// It starts no process and opens no connection: that is plugins/host and plugins/sdk.
package wire
