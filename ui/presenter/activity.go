package presenter

import (
	"iter"
	"slices"
	"strings"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// minutes is how far back Activity looks.
const minutes = 60

// Activity is what went on in the last hour, in minutes, the oldest first.
type Activity struct {
	Requests Plot
	Errors   Plot
	Tokens   Plot
	Latency  Plot
}

// Plot is one figure and how it went.
type Plot struct {
	Name   string
	Value  string // of the whole hour
	Values [minutes]float64
	Tone   Tone
	Empty  bool // there is nothing to be seen
}

// share is what one exchange adds to the figures.
type share struct {
	start  time.Time
	failed bool
	tokens int64
	guess  bool          // the tokens are an estimate
	wait   time.Duration // for the first byte, 0 where none came or the exchange failed
}

// shareOf is what an exchange adds to the figures, if it does: a list of models is no request
// to a model, but what was refused was to be one.
func shareOf(x *event.Exchange) (s share, counts bool) {
	s = share{start: x.Start, failed: x.Phase == event.Failed, tokens: x.Tokens.Input + x.Tokens.Output}
	s.guess = s.tokens > 0 && !x.Tokens.Known
	if !s.failed {
		s.wait = x.FirstByte
	}
	return s, x.ClientProtocol != "" || s.failed
}

// shares are what exchanges add to the figures since a time, also those that were cleared.
func (l *Log) shares(from time.Time) iter.Seq[share] {
	return func(yield func(share) bool) {
		for _, s := range l.cleared {
			if !s.start.Before(from) && !yield(s) {
				return
			}
		}
		for i := len(l.rows) - 1; i >= 0 && !l.rows[i].Start.Before(from); i-- { // they are in the order of their start
			if s, counts := shareOf(&l.rows[i]); counts && !yield(s) {
				return
			}
		}
	}
}

// hourBefore is where the first of the minutes begins.
func hourBefore(now time.Time) time.Time {
	return now.Truncate(time.Minute).Add(-(minutes - 1) * time.Minute)
}

// Activity is what went on in the hour before now.
func (l *Log) Activity(now time.Time) Activity {
	var a Activity
	var requests, failed, tokens int64
	guess := false
	var waits []time.Duration
	var waited [minutes][]time.Duration
	from := hourBefore(now)
	for s := range l.shares(from) {
		at := int(s.start.Sub(from) / time.Minute)
		if at >= minutes {
			continue
		}
		requests++
		a.Requests.Values[at]++
		if s.failed {
			failed++
			a.Errors.Values[at]++
		}
		tokens += s.tokens
		guess = guess || s.guess
		a.Tokens.Values[at] += float64(s.tokens)
		if s.wait > 0 {
			waits = append(waits, s.wait)
			waited[at] = append(waited[at], s.wait)
		}
	}
	for at := range waited {
		a.Latency.Values[at] = median(waited[at]).Seconds()
	}
	a.Requests.Name, a.Requests.Value = words.T("Requests"), count(requests)
	a.Errors.Name, a.Errors.Value = words.T("Errors"), count(failed)
	a.Tokens.Name, a.Tokens.Value = words.T("Tokens"), short(tokens)
	if guess {
		a.Tokens.Value = "~" + a.Tokens.Value
	}
	a.Latency.Name, a.Latency.Value = words.T("First byte"), elapsed(median(waits))
	a.Requests.Empty, a.Errors.Empty, a.Tokens.Empty, a.Latency.Empty = requests == 0, failed == 0, tokens == 0, len(waits) == 0
	a.Requests.Tone, a.Tokens.Tone, a.Latency.Tone = ToneBusy, ToneBusy, ToneBusy
	a.Errors.Tone = ToneBad
	return a
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// Trouble is a request that failed, and what can be done about it.
type Trouble struct {
	ID   string // of the last one of its kind
	Time string
	Text string // the models, what went wrong, and how often
	Cure string // "" when the text says it all
}

// Troubles are the last failures of the last hour, the newest first, at most n. What went
// wrong in the same way is said once, with all the models that it happened to.
func (l *Log) Troubles(now time.Time, n int) []Trouble {
	var kinds []*alike
	known := map[string]*alike{}
	for i := len(l.rows) - 1; i >= 0; i-- {
		x := &l.rows[i]
		if now.Sub(x.Start) > minutes*time.Minute {
			break
		}
		if x.Phase != event.Failed {
			continue
		}
		kind := kindOf(x)
		a := known[kind]
		if a == nil && len(kinds) == n {
			continue
		}
		if a == nil {
			a = &alike{last: x}
			known[kind], kinds = a, append(kinds, a)
		}
		a.add(x)
	}
	var out []Trouble
	for _, a := range kinds {
		out = append(out, a.trouble())
	}
	return out
}

// kindOf is the same for failures with the same cause. Two providers that say the same have
// each their own; of the gateway there is only one.
func kindOf(x *event.Exchange) string {
	switch {
	case keyless(x):
		return x.ErrorKind
	case strings.HasPrefix(x.ErrorKind, "cf_"):
		return x.Error
	default:
		return x.Provider + "\x00" + x.Error
	}
}

// alike are failures of one kind.
type alike struct {
	last   *event.Exchange
	models []string // or paths, the newest first
	times  int
}

func (a *alike) add(x *event.Exchange) {
	a.times++
	if m := or(x.ModelAsked, x.Path); !slices.Contains(a.models, m) {
		a.models = append(a.models, m)
	}
}

func (a *alike) trouble() Trouble {
	x := a.last
	t := Trouble{ID: x.ID, Time: x.Start.Local().Format(time.TimeOnly), Cure: cure(x)}
	if keyless(x) {
		t.Text, t.Cure = refusedText(a.times), copyKey.text()
		return t
	}
	why := Shorten(or(failure(x), stateText(x)), troubleText)
	t.Text = repeated(named(a.names(), why), a.times)
	return t
}

const (
	troubleText  = 200 // characters of what went wrong
	troubleNames = 2   // that are written out
	troubleName  = 48  // characters of each
)

// names are the models that it happened to, as many as there is room for.
func (a *alike) names() string {
	var out []string
	for _, m := range a.models[:min(len(a.models), troubleNames)] {
		out = append(out, Shorten(m, troubleName))
	}
	list := strings.Join(out, ", ")
	if more := len(a.models) - troubleNames; more > 0 {
		return words.F("{{.Names}} and {{.Count}} more", words.V{"Names": list, "Count": count(int64(more))})
	}
	return list
}

// keyless tells whether the proxy itself refused a request for its key.
func keyless(x *event.Exchange) bool {
	return x.ErrorKind == "invalid_api_key" && x.UpstreamProtocol == "" && x.ClientProtocol == ""
}

func refusedText(times int) string {
	if times == 1 {
		return words.T("1 request refused: no local key, or a wrong one.")
	}
	return words.F("{{.Count}} requests refused: no local key, or a wrong one.", words.V{"Count": count(int64(times))})
}

func repeated(text string, times int) string {
	if times == 1 {
		return text
	}
	return words.F("{{.Text}} ({{.Count}} times)", words.V{"Text": text, "Count": count(int64(times))})
}
