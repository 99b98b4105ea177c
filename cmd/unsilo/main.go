// Command unsilo pulls every department's data silo into one warehouse, works out who
// is who, and answers what no department can answer alone.
//
// The program parses arguments, builds values and calls down: what a verb does lives in
// the packages it calls. One file holds one verb.
package main

import "os"

func main() {
	keepPrivate()
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
