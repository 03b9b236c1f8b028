package presenter

import (
	"net/url"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// GuideStep is a page of the guide through the first start.
type GuideStep int

// The steps, in order.
const (
	GuideAccount GuideStep = iota
	GuideGateway
	GuideToken
	GuideKeys
	GuideTest
	GuideClient

	GuideSteps int = iota
)

// NeedsGuide tells whether a new user should be guided: nothing is set up, and the guide
// was not sent away before.
func NeedsGuide(s settings.Settings) bool {
	return !s.App.Guided && s.Gateway.Account == "" && s.Gateway.ID == ""
}

// GuidePage is what a step says.
type GuidePage struct {
	Title string
	Text  string // what it is, and where to find it
	Field Field  // that is filled in, "" for none
	Link  string // what the button to the dashboard says, "" for none
	URL   string // where it leads
}

// Guide is what a step says to a user who has filled in s so far.
func Guide(step GuideStep, s settings.Settings) GuidePage {
	switch step {
	case GuideAccount:
		return GuidePage{
			Title: words.T("Your Cloudflare account"),
			Text:  words.T("Open the dashboard and choose your account. Its ID is the part of the address behind dash.cloudflare.com: 32 characters, 0-9 and a-f. You can paste the whole address here."),
			Field: FieldAccount, Link: words.T("Open dashboard"), URL: dashboard(settings.Settings{}),
		}
	case GuideGateway:
		return GuidePage{
			Title: words.T("Your AI Gateway"),
			Text:  words.T("In the dashboard open AI > AI Gateway. Create a gateway there, or take one you have. Enter its name, or paste the address of its page."),
			Field: FieldGateway, Link: words.T("Open AI Gateway"), URL: dashboard(s),
		}
	case GuideToken:
		return GuidePage{
			Title: words.T("The gateway's token"),
			Text:  words.T("In the gateway's settings turn on Authenticated Gateway and create a token with the permissions AI Gateway Run, AI Gateway Read and Workers AI Read. It goes into the system's keychain and nowhere else."),
			Field: FieldToken, Link: words.T("Open AI Gateway"), URL: dashboard(s),
		}
	case GuideKeys:
		return GuidePage{
			Title: words.T("Your providers' keys"),
			Text:  words.T("In the gateway open Provider Keys and add a key for each provider that you use. These keys stay at Cloudflare."),
			Link:  words.T("Open AI Gateway"), URL: dashboard(s),
		}
	case GuideTest:
		return GuidePage{
			Title: words.T("Does it work?"),
			Text:  words.T("The gateway is asked for its list of models. That costs nothing."),
		}
	default:
		return GuidePage{
			Title: words.T("Your first client"),
			Text:  words.T("Choose a program that you use. Its page shows what to enter where. All others are there as well."),
		}
	}
}

// dashboard is Cloudflare's page of the account's gateways, or where an account is chosen.
func dashboard(s settings.Settings) string {
	if s.Gateway.Account == "" {
		return "https://dash.cloudflare.com/"
	}
	return "https://dash.cloudflare.com/" + url.PathEscape(s.Gateway.Account) + "/ai/ai-gateway"
}

// GuideStepOf is the step that fills in a field.
func GuideStepOf(f Field) (step GuideStep, ok bool) {
	switch f {
	case FieldAccount:
		return GuideAccount, true
	case FieldGateway:
		return GuideGateway, true
	case FieldToken:
		return GuideToken, true
	default:
		return 0, false
	}
}

// firstClients are offered in the guide, where there are. Cursor is not: it cannot reach this
// computer, which its own page explains.
var firstClients = []string{"claude-code", "codex", "vscode", "cline", "continue", "zed", "openai-sdk", "curl"}

// First are the clients that a new user probably has.
func (c *Clients) First() []ClientRow {
	var rows []ClientRow
	for _, id := range firstClients {
		if one := c.find(id); one != nil {
			rows = append(rows, ClientRow{ID: id, Text: one.Name})
		}
	}
	return rows
}
