package sim

import "net/http"

// Handler answers all HTTP dialects.
func (c *Company) Handler() http.Handler { return http.NotFoundHandler() }
