// Package engine carries out a plan: it reads every stream, masks its rows, lands them
// together with the position they came from, and then builds the models.
//
//	Source.Read -> emit -> mask -> gather into chunks -> conform to the table -> Tx: rows + state -> commit
//
// Streams run side by side up to a bound; one that fails does not stop the others. What
// was committed stays, whatever happens after it, and the next run goes on from there.
//
// The package does not know which connectors exist, whether one is a plugin, what the
// warehouse is, or how progress is shown: all of that is passed in by value.
package engine
