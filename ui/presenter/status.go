package presenter

import (
	"errors"
	"net"
	"strings"
	"unicode"
	"unicode/utf8"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Tone says how something is meant; it becomes a colour, always beside a word or a shape.
type Tone uint8

// The tones.
const (
	ToneQuiet Tone = iota
	ToneBusy
	ToneGood
	ToneWarn
	ToneBad
)

// Headline is the state of the program in words.
type Headline struct {
	Word   string // "Running", for where there is little room
	Text   string // "Running on 127.0.0.1:8787"
	Detail string // a sentence more, "" when nothing needs to be said
	Tone   Tone
	Icon   Icon
}

// Icon is the state that the tray icon shows.
type Icon uint8

// The icons.
const (
	IconStopped Icon = iota
	IconRunning
	IconAttention
	IconBusy
)

// Describe puts the state of the proxy into words. The settings and the token matter
// because a proxy that runs without them can only answer demo models.
func Describe(st Status, s settings.Settings, token SecretState) Headline {
	switch st.State {
	case Starting:
		return Headline{Word: words.T("Starting…"), Text: words.T("Starting…"), Tone: ToneBusy, Icon: IconBusy}
	case Stopping:
		return Headline{
			Word: words.T("Stopping…"), Text: words.T("Stopping…"),
			Detail: words.T("Running requests are given time to finish."),
			Tone:   ToneBusy, Icon: IconBusy,
		}
	case Running:
		return describeRunning(st, s, token)
	case Failed:
		return describeFailed(st)
	default:
		return Headline{
			Word: words.T("Stopped"), Text: words.T("Stopped"),
			Detail: words.F("Nothing listens on {{.Addr}}.", words.V{"Addr": st.Addr}), Icon: IconStopped,
		}
	}
}

func describeRunning(st Status, s settings.Settings, token SecretState) Headline {
	h := Headline{Word: words.T("Running"), Text: words.F("Running on {{.Addr}}", words.V{"Addr": st.Addr}), Tone: ToneGood, Icon: IconRunning}
	missing := Missing(s, token)
	switch {
	case len(missing) == 0:
	case setUp(s) && token == SecretRefused:
		h.Detail = words.F("{{.Problem}}. Replace it in Settings.", words.V{"Problem": tokenProblem(token)})
		h.Word, h.Tone, h.Icon = words.T("Needs attention"), ToneWarn, IconAttention
	case setUp(s) && token != SecretChecking:
		h.Detail = words.F("{{.Problem}}. Until that is mended, only demo models answer.", words.V{"Problem": tokenProblem(token)})
		h.Word, h.Tone, h.Icon = words.T("Needs attention"), ToneWarn, IconAttention
	case !setUp(s):
		h.Detail = words.T("Demo models answer now. Real models need your Cloudflare AI Gateway.")
	}
	if open := reach(st.Addr); open != "" {
		h.Detail = both(h.Detail, open)
	}
	return h
}

// reach says how other computers reach a proxy on addr, "" when they cannot. A computer with
// several addresses is known by one of them there, so none is named; names are refused unless
// the settings list them.
func reach(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified():
		return words.F("Other computers can reach it too: at this computer's IP address in the network and port {{.Port}}.", words.V{"Port": port})
	case ip == nil || ip.IsLoopback():
		return ""
	default:
		return words.T("Other computers can reach it too, at the same address.")
	}
}

func describeFailed(st Status) Headline {
	h := Headline{Word: words.T("Not running"), Text: words.T("Not running"), Tone: ToneBad, Icon: IconAttention}
	var port *PortError
	var wrong *SettingsError
	switch {
	case errors.As(st.Err, &wrong):
		h.Text = words.T("A setting is not valid")
		h.Detail = wrong.sentences()
	case errors.As(st.Err, &port):
		h.Text, h.Detail = portInUse(port), port.detail()
	case st.Err != nil:
		h.Detail = Tell(st.Err)
	}
	return h
}

// detail is what the system says about the port, and what can be done.
func (e *PortError) detail() string {
	switch {
	case e.Reserved:
		return both(words.T("Windows keeps this range of ports for itself (error 10013), often for Hyper-V or WSL."), e.otherPort())
	case e.Holder == "":
		return words.F("The system says: {{.Error}}. {{.Cure}}", words.V{"Error": e.Err, "Cure": e.cure()})
	default:
		return e.cure()
	}
}

// cure is what can be done where another program may have the port.
func (e *PortError) cure() string {
	if e.Source != "" {
		return words.F("The address is set by {{.By}}. Change the port there and start the program again, or stop the other program and press Start.", words.V{"By": source(e.Source)})
	}
	return words.T("Choose another port in Settings, or stop the other program and start again.")
}

// otherPort is what can be done where no program has the port.
func (e *PortError) otherPort() string {
	if e.Source != "" {
		return words.F("The address is set by {{.By}}. Change the port there and start the program again.", words.V{"By": source(e.Source)})
	}
	return words.T("Choose another port in Settings.")
}

// Quitting is the state of a program that ends as soon as so many requests have.
func Quitting(waiting int) Headline {
	h := Headline{Word: words.T("Quitting…"), Text: words.T("Quitting…"), Tone: ToneBusy, Icon: IconBusy}
	switch {
	case waiting == 1:
		h.Text = words.T("Quitting: waiting for 1 request…")
		h.Detail = words.T("The program waits at most a minute. If you quit now, the request ends with an error.")
	case waiting > 1:
		h.Text = words.F("Quitting: waiting for {{.Count}} requests…", words.V{"Count": waiting})
		h.Detail = words.T("The program waits at most a minute. If you quit now, the requests end with an error.")
	}
	return h
}

// PortOffer is what to say about another address when a port is taken.
type PortOffer struct {
	Title, Text, Button string
}

// TakenPort is the error of a proxy that cannot run because of its port, nil otherwise.
func TakenPort(st Status) *PortError {
	var port *PortError
	if st.State != Failed || !errors.As(st.Err, &port) {
		return nil
	}
	return port
}

// Offer offers to listen on addr instead.
func (e *PortError) Offer(addr string) PortOffer {
	_, port, _ := net.SplitHostPort(addr)
	o := PortOffer{
		Title:  portInUse(e),
		Text:   words.F("Port {{.Port}} is free. Give your clients the new address then.", words.V{"Port": port}),
		Button: words.F("Use {{.Port}}", words.V{"Port": port}),
	}
	return o
}

func portInUse(e *PortError) string {
	_, port, err := net.SplitHostPort(e.Addr)
	switch {
	case err != nil:
		return words.F("Cannot listen on {{.Addr}}", words.V{"Addr": e.Addr})
	case e.Holder != "":
		return words.F("Port {{.Port}} is in use by {{.Holder}}", words.V{"Port": port, "Holder": e.Holder})
	default:
		return words.F("Cannot listen on port {{.Port}}", words.V{"Port": port})
	}
}

// Gap is something that is missing before the first real request.
type Gap struct {
	Field Field // where it is set
	Text  string
	Cure  string // the button that mends it
	Ask   bool   // by asking the keychain again, which may have the system ask for its password
}

// Missing lists what a request to a real model still needs.
func Missing(s settings.Settings, token SecretState) []Gap {
	var gaps []Gap
	if s.Gateway.Account == "" {
		gaps = append(gaps, Gap{Field: FieldAccount, Text: words.T("Cloudflare account ID"), Cure: words.T("Set up")})
	}
	if s.Gateway.ID == "" {
		gaps = append(gaps, Gap{Field: FieldGateway, Text: words.T("Gateway name"), Cure: words.T("Set up")})
	}
	if !token.Usable() {
		gaps = append(gaps, Gap{Field: FieldToken, Text: tokenGap(token), Cure: tokenCure(token), Ask: token.Shut()})
	}
	return gaps
}

// tokenGap is the token among what is missing, with the reason where that is not simply
// that it was not entered yet.
func tokenGap(s SecretState) string {
	switch s {
	case SecretMissing:
		return words.T("Gateway token")
	case SecretChecking, SecretWaiting:
		return tokenProblem(s)
	case SecretLocked:
		return words.T("Gateway token: the keychain is locked")
	default:
		return words.F("Gateway token: {{.Why}}", words.V{"Why": s})
	}
}

// tokenCure is the button that mends what keeps the token away.
func tokenCure(s SecretState) string {
	switch {
	case s == SecretLocked:
		return words.T("Unlock")
	case s.Shut():
		return words.T("Check again")
	default:
		return words.T("Set up")
	}
}

// StillShut says of a keychain that was asked again that it still gives nothing, "" where it
// does or says that there is nothing.
func StillShut(s SecretState) string {
	switch {
	case s == SecretLocked:
		return words.T("The keychain is still locked. Unlock it with your system's own program for passwords, then try again.")
	case s.Shut():
		return words.F("{{.State}}. {{.Cure}}", words.V{"State": s, "Cure": s.Cure()})
	default:
		return ""
	}
}

func setUp(s settings.Settings) bool { return s.Gateway.Account != "" && s.Gateway.ID != "" }

func tokenProblem(s SecretState) string {
	switch s {
	case SecretMissing:
		return words.T("Gateway token missing")
	case SecretChecking, SecretWaiting:
		return words.T("Gateway token: waiting for the keychain")
	case SecretLocked:
		return words.T("Keychain locked")
	default:
		return s.String()
	}
}

// Action is what a click asks for.
type Action uint8

// The actions.
const (
	NoAction Action = iota
	StartProxy
	StopProxy
	CopyOpenAI
	CopyAnthropic
	CopyKey
	OpenWindow
	OpenSettings
	OpenModels
	ChooseModel
	ShowRequest
	ToggleLogin
	Quit
)

// Switch is what the one start and stop button does in a state, and its label.
func Switch(s State) (label string, a Action, enabled bool) {
	switch s {
	case Running:
		return words.T("Stop"), StopProxy, true
	case Starting:
		return words.T("Starting…"), NoAction, false
	case Stopping:
		return words.T("Stopping…"), NoAction, false
	default:
		return words.T("Start"), StartProxy, true
	}
}

// URLs are the addresses that clients are given. Both are "" while the port is not known.
type URLs struct{ OpenAI, Anthropic string }

// BaseURLs are the addresses for a proxy on addr. An address for all interfaces becomes
// one that a client on this machine can use.
func BaseURLs(addr string) URLs {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" || port == "0" {
		return URLs{}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	root := "http://" + net.JoinHostPort(host, port)
	return URLs{OpenAI: root + "/v1", Anthropic: root}
}

// TryLines is how many lines a TryCommand has at most.
const TryLines = 6

// TryCommand is a command, in lines that fit into a small window, that asks the demo model
// of a proxy on addr: for a shell, on Windows for PowerShell, of which older versions take
// the quotes out of what is not piped. With key "" it holds what stands for one. It is empty while the
// port is not known.
func TryCommand(goos, addr, key string) []string {
	if key == "" {
		key = keyStandIn
	}
	base := BaseURLs(addr).OpenAI
	if base == "" {
		return nil
	}
	begin, end := `'{"model": "echo#demo", "messages":`, `[{"role": "user", "content": "Hello"}]}'`
	url, bearer, kind := base+"/chat/completions", "  -H 'Authorization: Bearer "+key+"'", "  -H 'Content-Type: application/json'"
	if goos == "windows" {
		return []string{begin, "  " + end + " |", "curl.exe " + url + " `", bearer + " `", kind + " `", "  --data-binary '@-'"}
	}
	return []string{"curl " + url + ` \`, bearer + ` \`, kind + ` \`, "  -d " + begin, "       " + end}
}

// Sentence makes a sentence of an error's text.
func Sentence(s string) string {
	s = ended(s)
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// ended is a text with a stop at its end.
func ended(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	last, _ := utf8.DecodeLastRuneInString(s)
	switch {
	case strings.ContainsRune(".!?…。！？", last):
		return s
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }):
		return s + "。"
	default:
		return s + "."
	}
}
