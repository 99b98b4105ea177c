package sim

import (
	"fmt"
	"net/http"

	"github.com/unsilo/unsilo/connectors/sim/dialect"
	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/fault"
)

// Credentials are what the HTTP dialects accept.
type Credentials = dialect.Credentials

// Credentials gives what the dialects accept; it follows from the seed.
func (c *Company) Credentials() Credentials {
	secret := func(label string) string {
		return fmt.Sprintf("sim-%s-%016x", label, dice.Hash(c.opt.Seed, "secret "+label))
	}
	return Credentials{
		CRMToken: secret("crm"), SupportEmail: "desk@unsilo-sim.example", SupportToken: secret("support"),
		SocialToken: secret("social"), SurveyKey: secret("surveys"), AdsClientID: "unsilo-demo", AdsClientSecret: secret("ads"),
	}
}

// Handler answers all HTTP dialects, spoiled by the plan of Faults.
func (c *Company) Handler() http.Handler { return c.faults }

// Faults gives the injector that stands before the dialects: set its plan, read its log.
func (c *Company) Faults() *fault.Injector { return c.faults }
