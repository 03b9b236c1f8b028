package presenter

import (
	"strconv"
	"strings"
	"unicode"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Field names a place in the settings form, as in the settings file where it is there.
type Field = string

// The fields of the form. The token is not part of the settings, but it has its place in
// the form.
const (
	FieldAccount           Field = settings.FieldAccount
	FieldGateway           Field = settings.FieldGateway
	FieldGatewayURL        Field = settings.FieldGatewayURL
	FieldAzureResource     Field = settings.FieldAzureResource
	FieldAzureAPIVersion   Field = settings.FieldAzureAPIVersion
	FieldListen            Field = settings.FieldListen
	FieldUpstreamTimeout   Field = settings.FieldUpstreamTimeout
	FieldStreamIdleTimeout Field = settings.FieldStreamIdleTimeout
	FieldRetries           Field = settings.FieldRetries
	FieldDebug             Field = settings.FieldDebug
	FieldStartProxy        Field = "app.start_proxy"
	FieldKeepRunning       Field = "app.keep_running"
	FieldLanguage          Field = settings.FieldLanguage
	FieldTheme             Field = settings.FieldTheme
	FieldBodies            Field = settings.FieldBodies
	FieldExchanges         Field = settings.FieldExchanges
	FieldMemory            Field = settings.FieldMemory
	FieldOrigins           Field = settings.FieldOrigins
	FieldToken             Field = "token"

	FieldNotifyFailedStart Field = settings.FieldNotifyFailedStart
	FieldNotifyStopped     Field = settings.FieldNotifyStopped
	FieldNotifyToken       Field = settings.FieldNotifyToken
)

// texts are the fields that are typed, or chosen from Choices.
var texts = []Field{
	FieldAccount, FieldGateway, FieldGatewayURL, FieldAzureResource, FieldAzureAPIVersion,
	FieldListen, FieldUpstreamTimeout, FieldStreamIdleTimeout, FieldRetries, FieldLanguage, FieldTheme,
	FieldBodies, FieldExchanges, FieldMemory, FieldOrigins,
}

// flags are the fields that are on or off.
var flags = []Field{FieldDebug, FieldStartProxy, FieldKeepRunning, FieldNotifyFailedStart, FieldNotifyStopped, FieldNotifyToken}

// origins are the web origins in a text, which stand apart by spaces, commas or lines.
func origins(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

func textOf(s settings.Settings, name Field) string {
	switch name {
	case FieldAccount:
		return s.Gateway.Account
	case FieldGateway:
		return s.Gateway.ID
	case FieldGatewayURL:
		return s.Gateway.URL
	case FieldAzureResource:
		return s.Azure.Resource
	case FieldAzureAPIVersion:
		return s.Azure.APIVersion
	case FieldListen:
		return s.Server.Listen
	case FieldUpstreamTimeout:
		return s.Server.UpstreamTimeout.String()
	case FieldStreamIdleTimeout:
		return s.Server.StreamIdleTimeout.String()
	case FieldRetries:
		return strconv.Itoa(s.Server.Retries)
	case FieldLanguage:
		return s.App.Language
	case FieldTheme:
		return string(s.App.Theme)
	case FieldBodies:
		return string(s.Captures.Bodies)
	case FieldExchanges:
		return strconv.Itoa(s.Captures.Exchanges)
	case FieldMemory:
		return strconv.Itoa(s.Captures.Memory)
	case FieldOrigins:
		return strings.Join(s.Server.Origins, " ")
	default:
		return ""
	}
}

func flagOf(s settings.Settings, name Field) bool { return *flagIn(&s, name) }

// flagIn is where settings keep a flag.
func flagIn(s *settings.Settings, name Field) *bool {
	switch name {
	case FieldDebug:
		return &s.Server.Debug
	case FieldStartProxy:
		return &s.App.StartProxy
	case FieldNotifyFailedStart:
		return &s.Notifications.FailedStart
	case FieldNotifyStopped:
		return &s.Notifications.Stopped
	case FieldNotifyToken:
		return &s.Notifications.Token
	default:
		return &s.App.KeepRunning
	}
}

func modeOf(s settings.Settings, provider string) settings.KeyMode {
	if m := s.Providers[provider].Key; m != "" {
		return m
	}
	return settings.KeyStored
}

// KeyModes are the key modes in the order they are offered.
var KeyModes = []settings.KeyMode{settings.KeyStored, settings.KeyOwn, settings.KeyUnified}

// KeyModeText is a key mode in words.
func KeyModeText(m settings.KeyMode) string {
	switch m {
	case settings.KeyOwn:
		return words.T("My own key")
	case settings.KeyUnified:
		return words.T("Cloudflare billing")
	default:
		return words.T("Stored at Cloudflare")
	}
}

// KeyModeHint says what a key mode means.
func KeyModeHint(m settings.KeyMode) string {
	switch m {
	case settings.KeyOwn:
		return words.T("Sent with each request, from the keychain or from the client.")
	case settings.KeyUnified:
		return words.T("Charged to your Cloudflare credits.")
	default:
		return ""
	}
}
