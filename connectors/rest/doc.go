// Package rest pulls records out of HTTP APIs. An API is described in HCL, a
// Definition; New makes a core.Connector of it, and Connector is a connector that takes
// the definition as configuration, so that a plugin process can run any of them.
//
// The engine builds requests from the definition's expressions, authenticates, keeps to
// the API's pace, retries, follows pages, cuts time into windows, and hands text to
// connectors/rows. What it promises is the same for every definition: no request before
// the API said it may come, no place to resume from that loses a row, a page is taken
// whole or not at all, paging that goes in circles ends with an error, and no message
// holds a credential or a query.
//
// The package stores nothing: a refresh token that the API rotates is remembered until
// Close and is not written anywhere, because core.State must hold no secret.
package rest
