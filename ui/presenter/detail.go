package presenter

import (
	"strings"
	"time"

	"apex-ai-proxy/proxy/event"
)

// Detail is everything that is known about one exchange.
type Detail struct {
	ID       string
	Title    string // the model
	State    string
	Tone     Tone
	Facts    []Fact
	Error    string   // the whole text
	Warnings []string // what the conversion could not carry over, one line each
}

// Fact is one named value.
type Fact struct{ Name, Value string }

func detailOf(x *event.Exchange, now time.Time) Detail {
	d := Detail{
		ID:    x.ID,
		Title: modelText(x),
		State: stateText(x),
		Tone:  toneOf(x),
		Error: x.Error,
	}
	d.fact("Client", x.Client)
	d.fact("Request", strings.TrimSpace(x.Method+" "+x.Path))
	d.fact("Protocol", protocols(x))
	d.fact("Provider", x.Provider)
	d.fact("First byte", positive(elapsed(x.FirstByte)))
	d.fact("Duration", elapsed(durationOf(x, now)))
	d.fact("Tokens", tokenDetail(x))
	d.fact("Sizes", size(x.BytesIn)+" in, "+size(x.BytesOut)+" out")
	d.fact("Cache", x.CacheStatus)
	d.fact("Gateway log", x.GatewayLogID)
	d.fact("Error code", x.ErrorKind)
	d.fact("Request ID", x.ID)
	for _, w := range x.Warnings {
		line := w.Why
		if w.Path != "" {
			line = w.Path + ": " + line
		}
		d.Warnings = append(d.Warnings, line)
	}
	return d
}

func (d *Detail) fact(name, value string) {
	if value != "" {
		d.Facts = append(d.Facts, Fact{name, value})
	}
}

func positive(s string) string {
	if s == none {
		return ""
	}
	return s
}

func protocols(x *event.Exchange) string {
	switch {
	case x.ClientProtocol == "":
		return ""
	case x.Converted():
		return x.ClientProtocol + " → " + x.UpstreamProtocol + ", converted"
	case x.UpstreamProtocol != "":
		return x.ClientProtocol + ", passed through as is"
	default:
		return x.ClientProtocol
	}
}

func tokenDetail(x *event.Exchange) string {
	t := x.Tokens
	if !t.Known {
		return ""
	}
	s := count(t.Input) + " in"
	if t.CacheRead > 0 {
		s += " (" + count(t.CacheRead) + " from cache)"
	}
	if t.CacheWrite > 0 {
		s += " (" + count(t.CacheWrite) + " cached)"
	}
	s += ", " + count(t.Output) + " out"
	if t.Reasoning > 0 {
		s += " (" + count(t.Reasoning) + " reasoning)"
	}
	return s
}

// Text is the detail as plain text, to be copied.
func (d Detail) Text() string {
	var b strings.Builder
	b.WriteString(d.Title + "\n" + d.State + "\n")
	for _, f := range d.Facts {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	if d.Error != "" {
		b.WriteString("Error: " + d.Error + "\n")
	}
	for _, w := range d.Warnings {
		b.WriteString("Not carried over: " + w + "\n")
	}
	return b.String()
}
