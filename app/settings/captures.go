package settings

import "apex-ai-proxy/proxy/prose"

// Bodies is which exchanges' bodies are kept in memory, to be looked at in the window.
type Bodies string

// The choices.
const (
	BodiesAll    Bodies = "all"
	BodiesErrors Bodies = "errors" // only those of failed requests
	BodiesOff    Bodies = "off"
)

// Captures is what the window keeps of requests, in memory only.
type Captures struct {
	Bodies    Bodies `toml:"bodies"`
	Exchanges int    `toml:"exchanges"` // the last so many
	Memory    int    `toml:"memory"`    // MiB at most
}

// The limits of what is kept, which check says in words.
const (
	maxExchanges = 1000
	maxMemory    = 1024
)

func defaultCaptures() Captures { return Captures{Bodies: BodiesAll, Exchanges: 100, Memory: 32} }

func (c Captures) check(e *ValidationError) {
	switch c.Bodies {
	case BodiesAll, BodiesErrors, BodiesOff:
	default:
		e.check(FieldBodies, prose.New(`choose "all", "errors" or "off"`))
	}
	if c.Exchanges < 1 || c.Exchanges > maxExchanges {
		e.check(FieldExchanges, prose.New("choose a number from 1 to 1000"))
	}
	if c.Memory < 1 || c.Memory > maxMemory {
		e.check(FieldMemory, prose.New("choose from 1 to 1024 MiB"))
	}
}
