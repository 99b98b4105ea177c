// Package transforms lists what the project can do with data between a source and an
// insight: masks before landing, and models, identities and insights in the warehouse.
// It only lists; each kind lives in a folder of its own.
package transforms
