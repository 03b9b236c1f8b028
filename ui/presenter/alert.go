package presenter

import (
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// Alert is something that the user has to hear of even when the window is closed.
type Alert uint8

// The alerts.
const (
	NoAlert Alert = iota
	StartFailed
	ProxyStopped
	TokenRefused
)

// Text is what a notification says. It never holds anything that came from outside: one
// system shows notifications by a script that the text is part of.
func (a Alert) Text() string {
	switch a {
	case StartFailed:
		return words.T("The proxy could not start. Open the window to see why.")
	case ProxyStopped:
		return words.T("The proxy has stopped unexpectedly. Open the window to see why.")
	case TokenRefused:
		return words.T("The gateway refused the token. Replace it in Settings.")
	default:
		return ""
	}
}

// AlertOf is what the user should hear of a change of the proxy's state.
func AlertOf(before, now State) Alert {
	switch {
	case now != Failed || before == Failed:
		return NoAlert
	case before == Running:
		return ProxyStopped
	default:
		return StartFailed
	}
}

// Quiet is for how long an alert is not repeated.
const Quiet = 10 * time.Minute

// Alerts keeps notifications rare. The zero Alerts have given none.
type Alerts struct {
	last map[Alert]time.Time
}

// Due tells whether an alert is to be given now, and takes it that it is.
func (a *Alerts) Due(alert Alert, s settings.Notifications, now time.Time) bool {
	wanted := map[Alert]bool{StartFailed: s.FailedStart, ProxyStopped: s.Stopped, TokenRefused: s.Token}
	if last, given := a.last[alert]; !wanted[alert] || given && now.Sub(last) < Quiet {
		return false
	}
	if a.last == nil {
		a.last = map[Alert]time.Time{}
	}
	a.last[alert] = now
	return true
}

// refusals are the codes by which Cloudflare does not take the token.
var refusals = map[string]bool{"cf_2009": true, "cf_9106": true, "cf_10000": true}

// TokenVerdict is what exchanges tell of the token. It is not known by most, which are not at
// their end or never reached the gateway.
func TokenVerdict(batch []event.Exchange) (refused, known bool) {
	for i := range batch {
		x := &batch[i]
		switch {
		case x.Phase == event.Failed && refusals[x.ErrorKind]:
			refused, known = true, true
		case x.Phase == event.Done && x.Status < 300 && x.UpstreamProtocol != "" && x.Provider != demoProvider:
			refused, known = false, true
		}
	}
	return refused, known
}
