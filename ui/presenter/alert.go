package presenter

import (
	"errors"
	"net"
	"strconv"
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

// Text is what a notification says of a proxy in a state. It never holds anything that came
// from outside but a number: one system shows notifications by a script that the text is part
// of.
func (a Alert) Text(st Status) string {
	switch a {
	case StartFailed:
		return startFailure(st)
	case ProxyStopped:
		return words.T("The proxy has stopped unexpectedly. Open the window to see why.")
	case TokenRefused:
		return words.T("The gateway refused the token. Replace it in Settings.")
	default:
		return ""
	}
}

// startFailure says why the proxy could not start, where that is short.
func startFailure(st Status) string {
	var wrong *SettingsError
	port := TakenPort(st)
	switch {
	case errors.As(st.Err, &wrong):
		return words.T("The proxy could not start: a setting is not valid. Open the window to see which.")
	case port == nil || numbered(port.Addr) == 0:
		return words.T("The proxy could not start. Open the window to see why.")
	case port.Holder != "":
		return words.F("The proxy could not start: port {{.Port}} is in use by another program. Open the window to see what you can do.",
			words.V{"Port": numbered(port.Addr)})
	default:
		return words.F("The proxy could not start: it cannot listen on port {{.Port}}. Open the window to see what you can do.",
			words.V{"Port": numbered(port.Addr)})
	}
}

// numbered is the port of an address as a number, 0 when it is none.
func numbered(addr string) int {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port)
	return n
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
