package presenter

import (
	"strings"

	"apex-ai-proxy/proxy/event"
)

// Filter chooses exchanges. The zero Filter chooses all.
type Filter struct {
	Text      string // words that must all occur, in any case, in what a row or its error says
	Errors    bool   // only failed or cancelled ones
	Converted bool   // only those whose protocol was converted
	Client    string // only this client's, "" for all
	Provider  string // only this provider's, "" for all
}

// Active tells whether the filter leaves anything out.
func (f Filter) Active() bool { return f != Filter{} }

// matches tells whether an exchange is chosen.
func (f Filter) matches(x *event.Exchange) bool {
	switch {
	case f.Errors && x.Phase != event.Failed && x.Phase != event.Cancelled,
		f.Converted && !x.Converted(),
		f.Client != "" && f.Client != x.Client,
		f.Provider != "" && f.Provider != x.Provider:
		return false
	case f.Text == "":
		return true
	}
	hay := strings.ToLower(strings.Join([]string{
		x.Client, x.Method, x.Path, x.ModelAsked, x.ModelUsed, x.Provider, statusCode(x), stateText(x),
		x.ClientProtocol, x.UpstreamProtocol, protocolName(x.ClientProtocol), protocolName(x.UpstreamProtocol), x.Error, failure(x), x.ErrorKind, x.ID, x.GatewayLogID,
	}, "\n"))
	for _, word := range strings.Fields(strings.ToLower(f.Text)) {
		if !strings.Contains(hay, word) {
			return false
		}
	}
	return true
}
