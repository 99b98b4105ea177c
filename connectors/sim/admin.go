package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/core"
)

// handler answers the dialects and, under /_sim, whoever has the admin token:
//
//	GET  /_sim/who?challenge=x  {"pid":123,"proof":Proof(token, x)}; this one needs no token
//	GET  /_sim/now            {"now":"2026-04-27T00:00:00Z"}
//	POST /_sim/advance?d=24h  {"now":..,"changes":{"crm.contacts":{"create":2,..},..}}
//	GET  /_sim/log            the faults that fired and the requests, as fault.Log
//	POST /_sim/faults         a fault.Plan as JSON: from now on; the log begins anew
func (s *Server) handler(token string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Company.Handler())
	admin := http.NewServeMux()
	admin.HandleFunc("GET /_sim/now", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"now": s.Company.Now()})
	})
	admin.HandleFunc("POST /_sim/advance", func(w http.ResponseWriter, r *http.Request) {
		d, err := core.ParseDuration(r.URL.Query().Get("d"))
		if err != nil || d <= 0 || d > 400*24*time.Hour {
			http.Error(w, "d must be a duration such as 24h", http.StatusBadRequest)
			return
		}
		changes, err := s.Advance(r.Context(), d)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reply(w, moved{s.Company.Now(), Tally(changes)})
	})
	admin.HandleFunc("GET /_sim/log", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, s.Company.Faults().Log())
	})
	admin.HandleFunc("POST /_sim/faults", func(w http.ResponseWriter, r *http.Request) {
		var plan fault.Plan
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&plan)
		if err == nil {
			err = s.Company.Faults().SetPlan(plan)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle("/_sim/", guard(token, admin))
	mux.HandleFunc("GET /_sim/who", func(w http.ResponseWriter, r *http.Request) {
		reply(w, map[string]any{"pid": os.Getpid(), "proof": Proof(token, r.URL.Query().Get("challenge"))})
	})
	return mux
}

// Proof shows that its maker knows the admin token, without telling it: whoever asks with
// a challenge of his own learns whether the server is the one he started, before he trusts
// it with anything. It is empty where there is no token.
func Proof(token, challenge string) string {
	if token == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

// moved is the answer to an advance.
type moved struct {
	Now     time.Time                 `json:"now"`
	Changes map[string]map[string]int `json:"changes"`
}

// Tally counts changes by stream ("crm.contacts") and operation.
func Tally(changes []Change) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, c := range changes {
		name := c.Source + "." + c.Stream
		if counts[name] == nil {
			counts[name] = map[string]int{}
		}
		counts[name][string(c.Op)]++
	}
	return counts
}

func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if token == "" || subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) != 1 {
			http.Error(w, "the admin token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
