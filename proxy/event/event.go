// Package event tells what the proxy does: one record per exchange, published live and
// kept in a ring of the last ones.
//
// A record is a value; it is published when an exchange starts, whenever it has moved
// on, and in its final form when it ends, each time under the same ID with a higher
// Revision. It has no field for headers or bodies, so no reader of records can leak a
// credential. Publishing never blocks: a subscriber that falls behind misses records,
// is told how many, and can read the ring to be right again.
package event

import (
	"time"

	"apex-ai-proxy/proxy/prose"
)

// Phase is how far an exchange is.
type Phase uint8

// The phases of an exchange. The last three are final.
const (
	Waiting   Phase = iota // sent upstream, nothing came back yet
	Streaming              // the answer is arriving
	Done
	Failed
	Cancelled // the client went away
)

var phaseNames = [...]string{"waiting", "streaming", "done", "failed", "cancelled"}

// String is the phase in a word.
func (p Phase) String() string { return phaseNames[p] }

// Final tells whether the exchange has ended.
func (p Phase) Final() bool { return p >= Done }

// Exchange is one request and its answer.
type Exchange struct {
	ID       string // "req_…", also the request id that the client sees
	Revision int    // counts the published states of this exchange from 1
	Start    time.Time
	Phase    Phase

	Captured bool   // bodies are kept, see package capture
	Refused  bool   // before anything of the request was read, as for a wrong key
	ReplayOf string // ID of the exchange whose request was sent again, "" for a client's own

	Client string // "Claude Code", "Codex", … or the start of its User-Agent
	Method string
	Path   string // without the query

	ClientProtocol   string // "openai-chat", "anthropic-messages", … ; "" for lists and health
	UpstreamProtocol string
	ModelAsked       string // as the client wrote it
	ModelUsed        string // the id sent upstream
	Provider         string
	Stream           bool

	Status    int           // HTTP status sent to the client, 0 while waiting
	FirstByte time.Duration // from Start to the first byte of the answer's body, 0 before it
	Duration  time.Duration // from Start to the end, 0 while running

	Tokens    Tokens
	BytesIn   int64 // of the request's body
	BytesOut  int64 // of the answer's body so far
	Warnings  []Warning
	Tries     []Try      // requests that were not begun and sent again, in order; the last request is not among them
	Error     string     // why it failed, for people; without secrets
	ErrorText prose.Text // the same, to be told in another language
	ErrorKind string     // machine-readable code of the error

	GatewayLogID string // cf-aig-log-id
	GatewayStep  string // cf-aig-step: which entry of a gateway's own fallbacks answered
	GatewayModel string // the provider and model that a gateway's own routing chose
	CacheStatus  string // cf-aig-cache-status: HIT or MISS
}

// Converted tells whether the two sides speak different protocols.
func (x *Exchange) Converted() bool {
	return x.UpstreamProtocol != "" && x.ClientProtocol != x.UpstreamProtocol
}

// Try is a request upstream that was sent again.
type Try struct {
	Model  string        // as the client or its alias names it
	Status int           // of the answer, 0 when there was none
	Why    string        // for people; without secrets
	Text   prose.Text    // the same
	Wait   time.Duration // until the next one
}

// Tokens counts tokens as the upstream reported them, or by estimate, where it is not Known.
// Input is the whole prompt, with what was read from and written to a cache; Output includes
// reasoning.
type Tokens struct {
	Input, CacheRead, CacheWrite int64
	Output, Reasoning            int64
	Known                        bool // the upstream reported a count
}

// The codes of warnings that tell of another request upstream, and of no loss.
const (
	Fallback = "fallback" // a model failed, and the next one of its name was asked
	Repaired = "repaired" // a converted request was refused, and sent again in another form
)

// Warning is something a conversion could not carry over, or one of the codes above.
type Warning struct {
	Code string
	Path string // JSON path in the client's request
	Why  string
	Text prose.Text // the same
}
