package probe

import "apex-ai-proxy/proxy/prose"

// Cause is what a test found.
type Cause string

// The causes, from the way to the gateway to the providers behind it.
const (
	OK Cause = "ok"

	Invalid        Cause = "invalid" // a setting that cannot be right; Said says why
	AccountMissing Cause = "account_missing"
	GatewayMissing Cause = "gateway_missing"
	TokenMissing   Cause = "token_missing"
	TokenLocked    Cause = "token_locked" // the keychain does not give it out

	NoName      Cause = "no_name" // of the gateway's host
	Unreachable Cause = "unreachable"
	Slow        Cause = "slow"
	TLS         Cause = "tls"
	Proxy       Cause = "proxy" // the network's, on the way to the gateway
	NotGateway  Cause = "not_gateway"

	NoGateway    Cause = "no_gateway" // the account or the gateway is wrong
	WrongAccount Cause = "wrong_account"
	WrongGateway Cause = "wrong_gateway"
	TokenRefused Cause = "token_refused"
	TokenExpired Cause = "token_expired"
	Permission   Cause = "permission"
	Forbidden    Cause = "forbidden"
	Limited      Cause = "limited"
	Failing      Cause = "failing"

	NoKey  Cause = "no_key" // none is stored at Cloudflare, for any provider that was asked
	OwnKey Cause = "own_key"
)

// Finding is the result of a test.
type Finding struct {
	Cause    Cause
	Setting  string     // the field that is wrong, where the cause alone does not tell; as in the settings file
	Code     int        // Cloudflare's, 0 for none
	Said     string     // what the other side or the system said, without secrets
	Told     prose.Text // Said, where it is not somebody else's words
	LogID    string     // of the gateway's log
	Provider string     // whose own key is wrong

	Gateways  []string   // those there are, when the name is none of them
	Providers []Provider // those that were asked
}

// Provider is what was found out about the key of one provider.
type Provider struct {
	Name  string
	Title string
	State KeyState
}

// KeyState is whether a provider can be used.
type KeyState string

// The states of a provider's key.
const (
	Ready      KeyState = "ready"
	KeyMissing KeyState = "missing"
	KeyRefused KeyState = "refused"
	Unknown    KeyState = "unknown" // it did not say
)

// Ready are the titles of the providers that can be used.
func (f Finding) Ready() []string {
	var out []string
	for _, p := range f.Providers {
		if p.State == Ready {
			out = append(out, p.Title)
		}
	}
	return out
}

// text is what a cause means, what to do about it, and the setting to look at first.
type text struct{ says, cure, field string }

const (
	account = "gateway.account"
	gateway = "gateway.id"
	address = "gateway.url"
	token   = "token"
)

var texts = map[Cause]text{
	OK: {"The gateway answers and takes the token.", "", ""},

	Invalid:        {"This setting cannot be right.", "Correct it and test again.", ""},
	AccountMissing: {"No account ID is set.", "Copy it from the address of your Cloudflare dashboard.", account},
	GatewayMissing: {"No gateway is set.", "Enter the name of your gateway, as under AI > AI Gateway in the dashboard.", gateway},
	TokenMissing:   {"No gateway token is set.", "Create one in the gateway's settings at Cloudflare, then store it.", token},
	TokenLocked:    {"The keychain does not give out the gateway token.", "Unlock the keychain and test again.", token},

	NoName:      {"The gateway's host name cannot be found.", "Check that this computer is online. If you changed the gateway URL, check its spelling.", address},
	Unreachable: {"The gateway cannot be reached.", "Check the internet connection, and whether a firewall stops this program.", ""},
	Slow:        {"The gateway did not answer in time.", "Check the internet connection, then test again.", ""},
	TLS:         {"The connection to the gateway is not trustworthy.", "Something on the way may be replacing certificates, such as a company network or a virus scanner. Check also the clock of this computer.", ""},
	Proxy:       {"The network's proxy blocked the connection.", "Check the environment variable HTTPS_PROXY, or ask whoever runs the network.", ""},
	NotGateway:  {"The server that answered is not an AI Gateway.", "Check the gateway URL. A network that wants a login first, as in a hotel, does the same.", address},

	NoGateway:    {"There is no such gateway in this account.", "Check the account ID and the gateway's name.", gateway},
	WrongAccount: {"There is no account with this ID.", "Copy the account ID from the address of your Cloudflare dashboard.", account},
	WrongGateway: {"The account has no gateway with this name.", "Enter one of its gateways, or create this one at Cloudflare.", gateway},
	TokenRefused: {"The gateway refused the token.", "Create a new token in the gateway's settings at Cloudflare and replace this one.", token},
	TokenExpired: {"The token is no longer valid.", "Create a new token in the gateway's settings at Cloudflare and replace this one.", token},
	Permission:   {"The token may not use this gateway.", "Give it the permission AI Gateway Run for this account, or create a new one in the gateway's settings.", token},
	Forbidden:    {"A rule at Cloudflare forbids the request.", "Ask whoever runs the gateway, or check its policies in the dashboard.", ""},
	Limited:      {"The gateway's rate limit is reached.", "Wait a minute and test again.", ""},
	Failing:      {"The gateway is failing just now.", "Wait a minute and test again. Cloudflare's status page tells of known trouble.", ""},

	NoKey:  {"The gateway takes the token, but no provider's key is stored there.", "Add your keys in the gateway under Provider Keys, or use keys of your own.", ""},
	OwnKey: {"A provider does not take your own key.", "Replace it, or use the one stored at Cloudflare.", ""},
}

// Says is what was found, in a sentence.
func (f Finding) Says() string { return texts[f.Cause].says }

// Cure is what to do about it, "" when nothing needs to be done.
func (f Finding) Cure() string { return texts[f.Cause].cure }

// Field is the setting to look at first, as in the settings file; "token" for the gateway
// token and "" when it is none.
func (f Finding) Field() string {
	switch {
	case f.Setting != "":
		return f.Setting
	case f.Cause == OwnKey:
		return "providers." + f.Provider + ".key"
	default:
		return texts[f.Cause].field
	}
}

// Prose is every sentence of a Finding, so that the window can have it translated.
func Prose() []string {
	var out []string
	for _, t := range texts {
		out = append(out, t.says)
		if t.cure != "" {
			out = append(out, t.cure)
		}
	}
	return out
}
