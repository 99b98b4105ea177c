// Package identity finds out which records of many sources are the same person, firm or
// thing, and gives each one an id that stays.
//
// An identity block becomes a core.Model (Decode). Its Build goes through one pipeline:
//
//	tables -> records (package frame) -> decisions, exact rules, stitches -> blocking and
//	comparison (package kernel) -> weights (package fs) -> guarded clusters (package
//	cluster) -> ids and events (package naming) -> tables of schema identity
//
// A build goes on from the last one where it can (narrowing): it takes the same way with the
// records that changed, with those that share a key with them, and with the groups that these
// touch, and leaves the rest as it is.
//
// Every reason to join two records is an edge of one graph: a person's decision, an exact
// rule, or the model's bits. What the package writes it can explain (Explain, WhyNot),
// evaluate (Evaluate), compare between runs (Diff) and let people correct (Review, Decide,
// Split, Merge). README.md is the guide for analysts.
//
// The package reads and writes through core.Warehouse alone and holds no SQL but that of
// package portable. It normalises nothing itself: that is transforms/normalize.
package identity
