// Package unsilo pulls every department's data silo into one warehouse, works out which
// records belong to the same person or company, and answers the questions that no single
// department can answer alone.
//
// A record's way through the rooms:
//
//	connectors/<silo>     reads it from the silo and emits it in an Arrow batch
//	plugins/wire          carries the batch over the process border, if there is one
//	transforms/mask       masks what is personal, before anything is stored
//	core/engine           gathers batches and commits rows and position together
//	core/warehouse        keeps it: merge by key, history, deletes
//	transforms/identity   works out whose record it is
//	transforms/model      joins it with the other departments' records
//	cmd/unsilo            shows the answer
//
// The nouns are in core; core/config reads the project's HCL, core/plan says what a run
// would do. This package holds no code: it is the map, and the test that keeps the rooms
// apart (arch_test.go).
package unsilo
