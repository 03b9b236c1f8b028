package presenter

import (
	"strings"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// Detail is everything that is known about one exchange.
type Detail struct {
	ID       string
	Title    string // the model
	State    string
	Tone     Tone
	Facts    []Fact
	Error    string   // the whole text
	Cure     string   // what to do about it, "" when it says so itself
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
		Error: begun(failure(x)), Cure: cure(x),
	}
	d.fact(words.T("Model"), models(x))
	d.fact(words.T("Client"), clientText(x))
	d.fact(words.T("Request"), strings.TrimSpace(x.Method+" "+x.Path))
	d.fact(words.T("Protocol"), protocols(x))
	d.fact(words.T("Provider"), x.Provider)
	d.fact(words.T("First byte"), positive(elapsed(x.FirstByte)))
	d.fact(words.T("Duration"), elapsed(durationOf(x, now)))
	d.fact(words.T("Tokens"), tokenDetail(x))
	d.fact(words.T("Sizes"), sizes(x))
	d.fact(words.T("Cache"), x.CacheStatus)
	d.fact(words.T("Gateway log"), x.GatewayLogID)
	d.fact(words.T("Gateway step"), x.GatewayStep)
	d.fact(words.T("Routed to"), x.GatewayModel)
	d.fact(words.T("Repeats"), x.ReplayOf)
	for _, f := range resent(x) {
		d.fact(f.Name, f.Value)
	}
	d.fact(words.T("Error code"), x.ErrorKind)
	d.fact(words.T("Request ID"), x.ID)
	for _, w := range losses(x) {
		d.Warnings = append(d.Warnings, lossText(w))
	}
	return d
}

// sizes are those of the bodies, as far as there are any: of a refused request none is read.
func sizes(x *event.Exchange) string {
	switch {
	case x.BytesIn == 0 && x.BytesOut == 0:
		return ""
	case x.BytesIn == 0:
		return words.F("{{.Out}} out", words.V{"Out": size(x.BytesOut)})
	default:
		return words.F("{{.In}} in, {{.Out}} out", words.V{"In": size(x.BytesIn), "Out": size(x.BytesOut)})
	}
}

// models are the model that was asked for and the one it became, with nothing left out.
func models(x *event.Exchange) string {
	if x.ModelUsed == "" || x.ModelAsked == "" || x.ModelAsked == x.ModelUsed {
		return or(x.ModelAsked, x.ModelUsed)
	}
	return x.ModelAsked + " → " + x.ModelUsed
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
		return words.F("{{.Client}} → {{.Provider}}, converted", words.V{"Client": protocolName(x.ClientProtocol), "Provider": protocolName(x.UpstreamProtocol)})
	case x.UpstreamProtocol != "":
		return words.F("{{.Protocol}}, passed through as is", words.V{"Protocol": protocolName(x.ClientProtocol)})
	default:
		return protocolName(x.ClientProtocol)
	}
}

// protocolNames are the protocols in a word.
var protocolNames = map[string]string{
	"openai-chat": "Chat", "openai-responses": "Responses", "openai-embeddings": "Embeddings", "anthropic-messages": "Messages",
}

func protocolName(p string) string { return or(protocolNames[p], p) }

func tokenDetail(x *event.Exchange) string {
	t := x.Tokens
	if !t.Known {
		return estimateDetail(x)
	}
	in, out := count(t.Input), count(t.Output)
	if t.CacheRead > 0 {
		in += words.F(" ({{.Count}} from cache)", words.V{"Count": count(t.CacheRead)})
	}
	if t.CacheWrite > 0 {
		in += words.F(" ({{.Count}} cached)", words.V{"Count": count(t.CacheWrite)})
	}
	if t.Reasoning > 0 {
		out += words.F(" ({{.Count}} reasoning)", words.V{"Count": count(t.Reasoning)})
	}
	return words.F("in {{.In}}, out {{.Out}}", words.V{"In": in, "Out": out})
}

// estimateDetail are tokens that nobody has reported, or not yet, "" for none.
func estimateDetail(x *event.Exchange) string {
	in, out := about(x.Tokens.Input), about(x.Tokens.Output)
	tokens := words.F("in {{.In}}, out {{.Out}}", words.V{"In": in, "Out": out})
	switch {
	case x.Tokens.Input == 0 && x.Tokens.Output == 0:
		return ""
	case x.Tokens.Input == 0:
		tokens = words.F("out {{.Out}}", words.V{"Out": out})
	}
	if !x.Phase.Final() {
		return words.F("{{.Tokens}} (an estimate, so far)", words.V{"Tokens": tokens})
	}
	return words.F("{{.Tokens}} (an estimate: the provider reported no count)", words.V{"Tokens": tokens})
}

// Text is the detail as plain text, to be copied.
func (d Detail) Text() string {
	var b strings.Builder
	b.WriteString(d.Title + "\n" + d.State + "\n")
	for _, f := range d.Facts {
		b.WriteString(named(f.Name, f.Value) + "\n")
	}
	if d.Error != "" {
		b.WriteString(named(words.T("Error"), d.Error) + "\n")
	}
	for _, w := range d.Warnings {
		b.WriteString(named(words.T("Not carried over"), w) + "\n")
	}
	return b.String()
}
