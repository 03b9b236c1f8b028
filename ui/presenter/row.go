package presenter

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// Row is one exchange as the list shows it. Every text is ready to be drawn.
type Row struct {
	ID       string
	Time     string
	Client   string
	Model    string // as asked, and what it became when that differs
	Provider string
	State    string // "Waiting", "Streaming 3.1 KB", "200", "429 Rate limited", "Cancelled"; "200 Done ×3" when it was sent three times
	Code     string // the State without words, for where there is little room
	Via      string // how the protocols met: "as is", "converted", "converted −2" when two things were lost
	First    string // time to the first byte
	Duration string
	Cached   string // tokens read from a cache
	Tokens   string // in → out
	Error    string // of a failure, on one line
	Phase    event.Phase
	Tone     Tone
	Lossy    bool
}

func rowOf(x *event.Exchange, now time.Time) Row {
	return Row{
		ID:       x.ID,
		Time:     x.Start.Local().Format(time.TimeOnly),
		Client:   or(clientText(x), none),
		Model:    rowModel(x),
		Provider: or(x.Provider, none),
		State:    resentText(x),
		Code:     statusCode(x),
		Via:      viaText(x),
		First:    elapsed(x.FirstByte),
		Duration: elapsed(durationOf(x, now)),
		Cached:   cachedText(x),
		Tokens:   tokenText(x),
		Error:    rowError(x),
		Phase:    x.Phase,
		Tone:     toneOf(x),
		Lossy:    len(losses(x)) > 0,
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// clientText is the client, in the user's language where it is this program itself.
func clientText(x *event.Exchange) string {
	switch x.Client {
	case "Sent again":
		return words.T("Sent again")
	case "Tried here":
		return words.T("Tried here")
	default:
		return x.Client
	}
}

// rowModel is the model, with a sign when the request was sent again.
func rowModel(x *event.Exchange) string {
	if x.ReplayOf != "" {
		return "↻ " + modelText(x)
	}
	return modelText(x)
}

// rowError is what went wrong, so that it can be read in the list.
func rowError(x *event.Exchange) string {
	if x.Phase != event.Failed {
		return ""
	}
	return begun(strings.Join(strings.Fields(failure(x)), " "))
}

// modelText is the model as the client asked for it, without the provider, which has a
// column of its own, and the model it became.
func modelText(x *event.Exchange) string {
	asked := strings.TrimSuffix(x.ModelAsked, "#"+x.Provider)
	switch {
	case asked == "" && x.ModelUsed == "":
		return strings.TrimSpace(x.Method + " " + x.Path)
	case x.ModelUsed == "" || asked == x.ModelUsed:
		return asked
	case asked == "":
		return x.ModelUsed
	default:
		return asked + " → " + x.ModelUsed
	}
}

func stateText(x *event.Exchange) string {
	switch x.Phase {
	case event.Waiting:
		return words.T("Waiting")
	case event.Streaming:
		if x.BytesOut > 0 {
			return words.T("Streaming") + " " + size(x.BytesOut)
		}
		return words.T("Streaming")
	case event.Cancelled:
		return words.T("Cancelled")
	case event.Failed:
		return strings.TrimSpace(statusCode(x) + " " + failureWord(x))
	default:
		return strings.TrimSpace(statusCode(x) + " " + words.T("Done"))
	}
}

// resentText is the state, with a sign when the request was sent upstream more than once. In
// a stream that takes the place of the size.
func resentText(x *event.Exchange) string {
	n := sent(x)
	switch {
	case n < 2:
		return stateText(x)
	case x.Phase == event.Streaming:
		return words.T("Streaming") + " ×" + count(n)
	default:
		return stateText(x) + " ×" + count(n)
	}
}

func statusCode(x *event.Exchange) string {
	if x.Status == 0 {
		return ""
	}
	return strconv.Itoa(x.Status)
}

// failureWord is a failure in a word or two, short enough for a column.
func failureWord(x *event.Exchange) string {
	switch {
	case x.Status == http.StatusUnauthorized, x.Status == http.StatusForbidden:
		return words.T("Refused")
	case x.Status == http.StatusNotFound:
		return words.T("Not found")
	case x.Status == http.StatusTooManyRequests:
		return words.T("Rate limit")
	case x.Status == http.StatusRequestEntityTooLarge:
		return words.T("Too large")
	case x.Status == http.StatusGatewayTimeout:
		return words.T("Timeout")
	case x.Status == 529, x.Status == http.StatusServiceUnavailable:
		return words.T("Overloaded")
	case x.Status >= 400 && x.Status < 500:
		return words.T("Rejected")
	case x.Status < 400 && x.Status > 0:
		return words.T("Broken off")
	default:
		return words.T("Failed")
	}
}

func viaText(x *event.Exchange) string {
	switch {
	case x.ClientProtocol == "" || x.UpstreamProtocol == "":
		return none
	case !x.Converted():
		return words.T("as is")
	case len(losses(x)) > 0:
		return words.F("converted −{{.Count}}", words.V{"Count": len(losses(x))})
	default:
		return words.T("converted")
	}
}

func durationOf(x *event.Exchange, now time.Time) time.Duration {
	if x.Phase.Final() {
		return x.Duration
	}
	return now.Sub(x.Start)
}

func tokenText(x *event.Exchange) string {
	switch {
	case x.Tokens.Known:
		return count(x.Tokens.Input) + " → " + count(x.Tokens.Output)
	case x.Tokens.Input > 0:
		return about(x.Tokens.Input) + " → " + about(x.Tokens.Output)
	case x.Tokens.Output > 0:
		return "→ " + about(x.Tokens.Output)
	default:
		return none
	}
}

// about is an estimate of a number.
func about(n int64) string { return "~" + count(n) }

func cachedText(x *event.Exchange) string {
	if x.Tokens.CacheRead == 0 {
		return none
	}
	return count(x.Tokens.CacheRead)
}

func toneOf(x *event.Exchange) Tone {
	switch x.Phase {
	case event.Waiting:
		return ToneQuiet
	case event.Streaming:
		return ToneBusy
	case event.Done:
		return ToneGood
	case event.Cancelled:
		return ToneWarn
	default:
		return ToneBad
	}
}
