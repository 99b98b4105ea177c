// Package core holds the nouns of unsilo: what a connector is, what flows out of
// it, what a warehouse promises, and what an error tells its caller.
//
// A record's way through them:
//
//	Connector.Open -> Source.Read -> Batch -> Transform.Apply -> Tx.Write -> Model.Build
//
// The package has types, contracts and the few rules that every implementation
// shares. It reads no configuration, opens no file or connection, and imports
// nothing but the standard library and Arrow. The executable form of the
// contracts is core/coretest.
package core
