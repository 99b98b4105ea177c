// Package coretest is the contracts of core in executable form. An implementation calls
// one function from its tests and is held to every rule; a rule that fails prints the
// sentence of the contract it stands for.
//
// It tests what any implementation owes its callers, not how one works inside.
package coretest
