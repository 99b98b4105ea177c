package truth

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// The prices that the planted answers are worked out with.
const (
	// GrossMargin is the share of revenue left after the goods, per cent.
	GrossMargin = 50
	// MinuteCents is what a minute of an agent's talking costs.
	MinuteCents = 120
)

// Effects are the answers to the planted questions, as of the present. Money is in
// cents.
type Effects struct {
	Now       time.Time        `json:"now"`
	Campaigns []CampaignEffect `json:"campaigns"`
	// Trap is the code of the campaign with the best return on spend whose margin after
	// service is negative; "" when there is none.
	Trap    string        `json:"trap"`
	Outage  OutageEffect  `json:"failed_checkout"`
	Weeks   []WeekEffect  `json:"weeks"`
	Fever   FeverEffect   `json:"fever"`
	Risky   []RiskyDeal   `json:"risky_deals"`
	Waiting WaitingEffect `json:"hold_time"`
	Prices  PriceEffect   `json:"prices"`
}

// PriceEffect says what the answers are worked out with.
type PriceEffect struct {
	GrossMarginPercent int `json:"gross_margin_percent"`
	MinuteCents        int `json:"cents_per_talk_minute"`
}

// CampaignEffect is what one campaign brought: orders that name it, the people who made
// them, and their calls from the first such order on.
type CampaignEffect struct {
	ID           string `json:"campaign_id"`
	Code         string `json:"code"`
	Spend        int64  `json:"spend_cents"`
	Orders       int    `json:"orders"`
	Customers    int    `json:"customers"`
	Revenue      int64  `json:"revenue_cents"`
	Calls        int    `json:"calls"`
	Linkable     int    `json:"calls_linkable"`
	TalkSeconds  int    `json:"talk_seconds"`
	LinkableTalk int    `json:"talk_seconds_linkable"`
	Service      int64  `json:"service_cost_cents"`
	// Margin is Revenue * GrossMargin - Spend - Service.
	Margin int64 `json:"margin_after_service_cents"`
}

// OutageEffect is who saw a payment fail with status 503, and what they did.
type OutageEffect struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Affected int       `json:"affected"`
	// Callers called within 24 hours; Silent did not.
	Callers int `json:"callers"`
	Silent  int `json:"silent"`
	// AtRisk is the value of the carts of silent customers without an order in the 72
	// hours after.
	AtRisk int64 `json:"silent_revenue_at_risk_cents"`
	// SilentNumbers are the customer numbers of the silent ones.
	SilentNumbers []string `json:"silent_customer_numbers"`
}

// WeekEffect counts one week, Monday to Sunday.
type WeekEffect struct {
	Monday    string `json:"monday"`
	Calls     int    `json:"calls"`
	Answers   int    `json:"answers"`
	Promoters int    `json:"promoters"`
	Detractor int    `json:"detractors"`
	Posts     int    `json:"posts"`
	Negative  int    `json:"negative_posts"`
}

// FeverEffect is the week in which a product fails.
type FeverEffect struct {
	Monday string `json:"monday"`
	// LeadHours is how long posts go before calls.
	LeadHours     int      `json:"lead_hours"`
	NegativeWords []string `json:"negative_words"`
}

// RiskyDeal is an open deal with a company that has an unresolved ticket or an overdue
// invoice.
type RiskyDeal struct {
	Deal    string `json:"deal_id"`
	Owner   string `json:"owner_id"`
	Amount  int64  `json:"amount_cents"`
	Account string `json:"account_id"`
	Tickets int    `json:"unresolved_tickets"`
	Overdue int    `json:"overdue_invoices"`
}

// WaitingEffect counts those who waited over five minutes, and of them those who hung up.
type WaitingEffect struct {
	Over300   int `json:"waited_over_300s"`
	Abandoned int `json:"abandoned_over_300s"`
}

// WriteEffects writes the answers to a JSON file.
func WriteEffects(name string, s *world.State) error {
	text, err := json.MarshalIndent(Of(s), "", "  ")
	if err != nil {
		return fmt.Errorf("encode effects: %w", err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write effects: %w", err)
	}
	return nil
}

// Of works out the answers from the state and its hidden truth.
func Of(s *world.State) Effects {
	e := Effects{
		Now: s.Now, Campaigns: campaigns(s), Outage: outage(s), Weeks: weeks(s), Risky: riskyDeals(s),
		Fever: FeverEffect{
			Monday: world.FeverWeek(s.Options.Start).Format(time.DateOnly), LeadHours: world.FeverLead,
			NegativeWords: world.NegativeWords(),
		},
		Prices: PriceEffect{GrossMargin, MinuteCents},
	}
	best := -1
	for i, c := range e.Campaigns {
		if c.Spend > 0 && (best < 0 || c.Revenue*e.Campaigns[best].Spend > e.Campaigns[best].Revenue*c.Spend) {
			best = i
		}
	}
	if best >= 0 && e.Campaigns[best].Margin < 0 {
		e.Trap = e.Campaigns[best].Code
	}
	for i := range s.Calls {
		if c := &s.Calls[i]; c.Wait > 300 && c.End() <= s.Now.UnixMilli() {
			e.Waiting.Over300++
			if c.Abandoned {
				e.Waiting.Abandoned++
			}
		}
	}
	return e
}

func dirOf(name string) string { return filepath.Dir(name) }

func campaigns(s *world.State) []CampaignEffect {
	list, place := make([]CampaignEffect, len(s.Campaigns)), map[string]int{}
	first := make([]map[int]int64, len(list))
	for i, c := range s.Campaigns {
		list[i], place[c.Code], first[i] = CampaignEffect{ID: c.ID, Code: c.Code}, i, map[int]int64{}
	}
	days := int(s.Now.Sub(s.Options.Start) / (24 * time.Hour))
	for _, r := range s.SpendRows(0, days) {
		list[r.Campaign].Spend += int64(r.Cents)
	}
	s.Orders.Each(func(_ int, o *world.Order) {
		i, ok := place[o.Campaign]
		customer := s.Customers.Rows[o.Customer]
		if !ok || customer == nil {
			return
		}
		list[i].Orders++
		list[i].Revenue += o.Total
		if at, ok := first[i][customer.Person]; !ok || o.Date < at {
			first[i][customer.Person] = o.Date
		}
	})
	for i := range s.Calls {
		c := &s.Calls[i]
		for j := range list {
			if at, ok := first[j][c.Person]; ok && c.Start >= at && c.End() <= s.Now.UnixMilli() {
				list[j].addCall(c)
			}
		}
	}
	for i := range list {
		c := &list[i]
		c.Customers = len(first[i])
		c.Service = int64(c.TalkSeconds) * MinuteCents / 60
		c.Margin = c.Revenue*GrossMargin/100 - c.Spend - c.Service
	}
	return list
}

func (e *CampaignEffect) addCall(c *world.Call) {
	e.Calls++
	e.TalkSeconds += c.Talk
	if !strings.Contains(c.Packs.String(), "unlinkable") {
		e.Linkable++
		e.LinkableTalk += c.Talk
	}
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}
