package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

// The scenes are what a person sees at work, with data made up for it.
var scenes = map[string]func(*testing.T) *stage{
	"overview-first": sceneFirst, "overview-ready": sceneReady, "overview-failed": sceneFailed, "overview-fixed": sceneFailedFixed, "overview-busy": sceneBusy,
	"overview-one-error": sceneErrors(1), "overview-errors": sceneErrors(4),
	"overview-open": sceneOpen, "overview-port": scenePort, "overview-no-tray": sceneNoTray, "quitting": sceneQuitting, "unsaved": sceneUnsaved, "requests-saved": sceneSaved,
	"keys": sceneKeys, "requests-empty": sceneNoRequests, "requests-cleared": sceneCleared, "requests-full": sceneRequests, "requests-detail": sceneDetail,
	"inspector-summary": sceneInspector(tabSummary), "inspector-request": sceneInspector(tabRequest), "inspector-answer": sceneInspector(tabAnswer),
	"inspector-selected": sceneSelected,
	"inspector-refused":  sceneRefused, "inspector-resent": sceneResent, "inspector-discard": sceneDiscard,
	"inspector-edit": sceneEdit, "inspector-edit-scripts": sceneScripts, "inspector-scripts": sceneScriptsShown, "inspector-save": sceneSave, "inspector-failure": sceneFailure,
	"models-failed": sceneModelsFailed,
	"models":        sceneModels, "models-empty": sceneNoNames, "models-wrong": sceneWrongNames, "models-stopped": sceneModelsStopped, "models-catalogue": sceneCatalogue,
	"clients": sceneClients, "clients-cursor": sceneClient("cursor", 0), "clients-sdk": sceneClient("openai-sdk", 2),
	"clients-stopped": sceneClientsStopped,
	"guide-account":   sceneGuide(presenter.GuideAccount), "guide-gateway": sceneGuide(presenter.GuideGateway), "guide-token": sceneGuide(presenter.GuideToken),
	"guide-blamed": sceneGuideBlamed, "guide-keys": sceneGuide(presenter.GuideKeys), "guide-locked": sceneGuideLocked,
	"guide-test": sceneGuide(presenter.GuideTest), "guide-client": sceneGuide(presenter.GuideClient), "guide-demo": sceneGuideDemo,
	"settings-import": sceneImport, "settings-port": scenePortField, "settings-broken": sceneBrokenFile,
	"overview-invalid": sceneInvalid, "overview-unused": sceneUnused, "unsaved-token": sceneUnsavedToken,
	"settings-refused": sceneTested(probe.Finding{Cause: probe.TokenRefused, Code: 2009, Said: "Cloudflare 2009: Unauthorized", LogID: "01JF3Z8Q4M7T2V"}),
	"settings-well":    sceneTested(probe.Finding{Cause: probe.OK, Providers: madeUpProviders}),
	"settings-remove":  sceneRemoving, "settings-fixed": sceneFixed,
	"settings": sceneSettings, "settings-wrong": sceneWrong, "settings-end": sceneSettingsEnd,
}

func readyCore() *fakeCore {
	c := newFakeCore()
	c.status = presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"}
	c.settings.Gateway.Account = "0123456789abcdef0123456789abcdef"
	c.settings.Gateway.ID = "home"
	c.settings.Providers = map[string]settings.Provider{"groq": {Key: settings.KeyOwn}}
	c.secrets[presenter.GatewayToken] = "made-up"
	return c
}

func sceneFirst(t *testing.T) *stage {
	c := newFakeCore()
	c.status.State = presenter.Running
	s := newStage(t, c)
	s.start()
	return s
}

func sceneReady(t *testing.T) *stage {
	s := newStage(t, readyCore())
	s.start()
	return s
}

// sceneBusy is the overview after a working day.
func sceneBusy(t *testing.T) *stage {
	s := newStage(t, readyCore())
	s.start()
	now := time.Now()
	for n := range 160 {
		x := workday()[1+n%11]
		x.ID, x.Start = fmt.Sprintf("req_busy%d", n), now.Add(-time.Duration(n*n%3500)*time.Second)
		s.core.bus.Publish(x)
	}
	s.until("the rows", func() bool { return s.log.Len() == 160 })
	s.window.refresh()
	return s
}

// sceneErrors is the overview after some kinds of failures, from one of few words on.
func sceneErrors(n int) func(*testing.T) *stage {
	return func(t *testing.T) *stage {
		s := newStage(t, readyCore())
		s.start()
		failed := failures()
		if n == 1 {
			failed = failed[:1]
		}
		for i, x := range failed {
			x.ID, x.Revision, x.Start = fmt.Sprintf("req_failed%d", i), 1, time.Now().Add(time.Duration(i-len(failed))*time.Second)
			x.Phase, x.Status, x.ClientProtocol, x.Path = event.Failed, 400, "openai-chat", "/v1/chat/completions"
			s.core.bus.Publish(x)
		}
		s.until("the rows", func() bool { return s.log.Len() == len(failed) })
		s.window.refresh()
		return s
	}
}

// failures are some kinds of them, the first of few words, one of many.
func failures() []event.Exchange {
	return []event.Exchange{
		{ModelAsked: "gpt-5#openai", Provider: "openai", Error: "The model does not exist."},
		{ModelAsked: "echo#demo", Provider: "demo", Error: "slow down", ErrorKind: "rate_limited"},
		{ModelAsked: "@cf/meta/llama-3.3-70b-instruct-fp8-fast#workers-ai", Provider: "workers-ai", Error: strings.Repeat("Something that took many words went wrong. ", 8), ErrorKind: "upstream_credential"},
		{ModelAsked: "fast", Provider: "openai", Error: "slow down", ErrorKind: "rate_limited"},
		{ModelAsked: "claude-sonnet-4-5#anthropic", Provider: "openai", Error: "slow down", ErrorKind: "rate_limited"},
		{ModelAsked: "gpt-5-mini#openai", Provider: "openai", Error: "slow down", ErrorKind: "rate_limited"},
	}
}

func sceneFailed(t *testing.T) *stage {
	c := readyCore()
	c.status = presenter.Status{
		State: presenter.Failed, Addr: c.settings.Server.Listen,
		Err: &presenter.PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 1204)", Err: errors.New("address already in use")},
	}
	c.states[presenter.GatewayToken] = presenter.SecretLocked
	why := prose.New(`a section is written as [gateway], on a line of its own`)
	c.notices = []prose.Text{
		prose.New("the settings file cannot be read: %s, line %d, column %d: %s", "settings.toml", 4, 1, why),
		prose.New("until you correct the file, the program uses the defaults; if you save settings, it first copies the file to a new name"),
	}
	s := newStage(t, c)
	s.start()
	return s
}

// sceneFailedFixed has a port that somebody else has, and a flag that names it.
func sceneFailedFixed(t *testing.T) *stage {
	c := namedCore()
	c.over[settings.FieldListen] = "flag --listen"
	c.status = presenter.Status{State: presenter.Failed, Addr: "127.0.0.1:8787", Err: &presenter.PortError{
		Addr: "127.0.0.1:8787", Holder: "nginx (pid 1204)", Source: c.over[settings.FieldListen], Err: errors.New("in use"),
	}}
	s := newStage(t, c)
	s.start()
	return s
}

// scenePort asks whether to take another port.
func scenePort(t *testing.T) *stage {
	c := readyCore()
	c.status, c.next = portTaken, "127.0.0.1:8788"
	s := newStage(t, c)
	s.start()
	s.until("the dialog", func() bool { return s.offer.dialog != nil })
	return s
}

func sceneNoTray(t *testing.T) *stage {
	s := sceneReady(t)
	s.hostless = true
	s.window.refresh()
	return s
}

// sceneOpen runs where other computers reach it, too.
func sceneOpen(t *testing.T) *stage {
	c := readyCore()
	c.status.Addr = "0.0.0.0:8787"
	s := newStage(t, c)
	s.start()
	return s
}

// sceneQuitting waits for requests.
func sceneQuitting(t *testing.T) *stage {
	c := readyCore()
	c.active = 2
	c.stop = func(ctx context.Context) { <-ctx.Done() }
	s := newStage(t, c)
	s.start()
	s.quit()
	return s
}

// sceneUnsaved asks what to do with edits that cannot be saved.
func sceneUnsaved(t *testing.T) *stage {
	s := sceneWrongNames(t)
	s.window.win.Resize(size(760, 520))
	s.quit()
	return s
}

// sceneEdit is about to send a request again.
func sceneEdit(t *testing.T) *stage {
	s := sceneInspector(tabRequest)(t)
	s.window.win.Resize(size(760, 520))
	s.inspector().edit()
	return s
}

// sceneResent is a request that was sent more than once.
// sceneRefused looks at the answer to a request that was not read.
func sceneRefused(t *testing.T) *stage {
	s := sceneNoRequests(t)
	x := event.Exchange{
		ID: "req_refused", Start: time.Now(), Client: "Cline", Method: "POST", Path: "/v1/chat/completions", Phase: event.Failed, Status: 401, Revision: 1,
		ErrorText: prose.New("the key you sent is not the proxy's local key: copy it from Apex AI Proxy, or run apex-ai-proxy key"), ErrorKind: "invalid_api_key", Captured: true,
	}
	x.Error = x.ErrorText.String()
	r := s.core.bytes.OpenRefused(x.ID)
	r.Answer(capture.ClientAnswer, x.Status, http.Header{"Content-Type": {"application/json"}})
	r.Write(capture.ClientAnswer, []byte(`{"error":{"message":"`+x.Error+`","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`))
	r.End(true)
	s.core.bus.Publish(x)
	s.until("the row", func() bool { return s.log.Len() == 1 })
	s.window.requests.list.Select(0)
	s.inspector().tabs.choose(tabAnswer)
	s.until("the bytes", func() bool { return s.inspector().seen.ID == x.ID })
	return s
}

func sceneResent(t *testing.T) *stage {
	s := sceneInspector(tabSummary)(t)
	s.window.requests.list.Select(6)
	return s
}

// sceneDiscard asks before an edited body is lost.
func sceneDiscard(t *testing.T) *stage {
	s := sceneEdit(t)
	c := s.window.win.Canvas()
	c.FocusNext() // from the model to the body
	body := c.Focused().(*entry)
	body.SetText(body.Text + " ")
	s.press(fyne.KeyEscape)
	return s
}

// manyScripts is a request in more scripts than one font has.
const manyScripts = `{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"请把这段话翻译成英文：今天天气很好，我们去公园散步吧。🎉🚀 mixed 中文 and English, 한국어, 日本語の文章, long enough to be wrapped at the edge (gjpqy)."},{"role":"assistant","content":"The weather is fine today."}],"stream":true}`

// sceneScriptsShown shows it.
func sceneScriptsShown(t *testing.T) *stage {
	s := sceneNoRequests(t)
	x := workday()[4]
	x.Captured = true
	r := s.core.bytes.Open(x.ID)
	r.Request(capture.ClientRequest, "POST", "/v1/messages", nil, []byte(manyScripts))
	r.Request(capture.UpstreamRequest, "POST", "https://gateway.ai.cloudflare.com/v1/0123456789abcdef0123456789abcdef/home/google-ai-studio/v1beta/openai/chat/completions", nil, []byte(manyScripts))
	r.End(false)
	s.core.bus.Publish(x)
	s.until("the row", func() bool { return s.log.Len() == 1 })
	s.window.requests.list.Select(0)
	s.inspector().tabs.choose(tabAnswer)
	s.until("the bytes", func() bool { return s.inspector().seen.ID == x.ID })
	return s
}

// sceneScripts is about to send it again.
func sceneScripts(t *testing.T) *stage {
	s := sceneScriptsShown(t)
	s.window.win.Resize(size(windowWidth, windowHeight))
	s.inspector().edit()
	return s
}

// sceneSelected has lines selected, also such that differ, and a header.
func sceneSelected(t *testing.T) *stage {
	s := sceneInspector(tabRequest)(t)
	in := s.inspector()
	in.headers.SetChecked(true)
	s.click(in.bytes.left.text, "User-Agent", 0)
	s.click(in.bytes.left.text, `"system"`, fyne.KeyModifierShift)
	return s
}

// sceneSave asks for a file.
func sceneSave(t *testing.T) *stage {
	s := sceneInspector(tabRequest)(t)
	s.window.win.Resize(size(760, 520))
	s.window.save(presenter.HAR, nil)
	return s
}

// sceneFailure says what did not work.
func sceneFailure(t *testing.T) *stage {
	s := sceneInspector(tabRequest)(t)
	s.window.win.Resize(size(760, 520))
	s.window.tell(presenter.ReplayFailure(presenter.ErrNotRunning))
	return s
}

// sceneSaved has saved requests to a file.
func sceneSaved(t *testing.T) *stage {
	s := sceneDetail(t)
	s.window.write(&file{}, presenter.HAR, s.log.All())
	s.until("the file", s.window.toast.content.Visible)
	return s
}

func sceneNoRequests(t *testing.T) *stage {
	s := sceneReady(t)
	s.window.open(pageRequests)
	return s
}

func sceneRequests(t *testing.T) *stage {
	s := sceneNoRequests(t)
	for _, x := range workday() {
		s.core.bus.Publish(x)
	}
	s.until("the rows", func() bool { return s.log.Len() == len(workday()) })
	return s
}

func sceneKeys(t *testing.T) *stage {
	s := sceneRequests(t)
	s.window.showKeys()
	return s
}

func sceneCleared(t *testing.T) *stage {
	s := sceneNoRequests(t)
	s.log.Apply([]event.Exchange{{ID: "one", Phase: event.Done}})
	s.window.requests.forget()
	return s
}

func sceneDetail(t *testing.T) *stage {
	s := sceneRequests(t)
	for i := range s.log.Len() {
		if s.log.Row(i, time.Now()).Lossy && s.log.Row(i, time.Now()).Error != "" {
			s.window.requests.list.Select(i)
		}
	}
	return s
}

func sceneSettings(t *testing.T) *stage {
	c := readyCore()
	c.over[settings.FieldListen] = "flag --listen"
	s := newStage(t, c)
	s.start()
	s.window.open(pageSettings)
	s.until("the provider's key", func() bool { return s.window.settings.keys.rows[2].state == presenter.SecretMissing })
	return s
}

// sceneFixed has the token from the environment.
func sceneFixed(t *testing.T) *stage {
	c := readyCore()
	c.states[presenter.GatewayToken] = presenter.SecretFromEnvironment
	s := newStage(t, c)
	s.start()
	s.window.open(pageSettings)
	s.until("the token", func() bool { return s.window.settings.token.state == presenter.SecretFromEnvironment })
	return s
}

// sceneRemoving asks before a token is removed.
func sceneRemoving(t *testing.T) *stage {
	s := sceneSettings(t)
	f := s.window.settings.token
	s.until("the token", func() bool { return !f.remove.Hidden })
	test.Tap(f.remove)
	return s
}

func sceneWrong(t *testing.T) *stage {
	c := newFakeCore()
	s := newStage(t, c)
	s.start()
	s.window.open(pageSettings)
	f := s.window.settings.fields
	f[0].entry.SetText("my-account")
	f[1].entry.SetText("Home Gateway")
	f[2].entry.SetText("http://gateway.example.com/v1")
	s.window.settings.token.entry.SetText("sk-ant-made-up")
	return s
}

// scenePortField is the field of an address that is taken, with another one to choose.
func scenePortField(t *testing.T) *stage {
	c := readyCore()
	c.next = "127.0.0.1:9001"
	c.saveErr = &presenter.PortError{Addr: "127.0.0.1:9000", Holder: "nginx (pid 1204)"}
	s := newStage(t, c)
	s.start()
	s.hostless = true
	s.window.open(pageSettings)
	p := s.window.settings
	p.field(presenter.FieldListen).entry.SetText("127.0.0.1:9000")
	p.keep()
	s.until("the offer", p.free.content.Visible)
	s.hostless = true
	s.window.win.Resize(size(760, 520))
	s.window.win.Content().Refresh()
	p.scroll.ScrollToOffset(fyne.NewPos(0, 400))
	return s
}

// sceneBrokenFile has settings that could not be read.
func sceneBrokenFile(t *testing.T) *stage {
	c := readyCore()
	c.broken = true
	c.notices = []prose.Text{
		prose.New("the settings file cannot be read: %s, line %d, column %d: %s", "settings.toml", 12, 10, prose.New("the closing quote is missing")),
		prose.New("until you correct the file, the program keeps the settings it had before; if you save settings, it first copies the file to a new name"),
	}
	s := newStage(t, c)
	s.start()
	s.window.open(pageSettings)
	return s
}

// sceneInvalid has flags that cannot be used.
func sceneInvalid(t *testing.T) *stage {
	c := readyCore()
	c.fleeting = true
	c.status = presenter.Status{State: presenter.Failed, Addr: "here", Err: &presenter.SettingsError{
		Problems: []settings.Problem{
			{Field: settings.FieldListen, Text: prose.New("an address and a port are needed; write it as 127.0.0.1:8787")},
			{Field: settings.FieldRetries, Text: prose.New("choose a number from 0 to 5")},
		},
		Sources: map[string]string{settings.FieldListen: "flag --listen"}, Err: errors.New("invalid"),
	}}
	s := newStage(t, c)
	s.start()
	return s
}

// sceneUnused was started again with flags.
func sceneUnused(t *testing.T) *stage {
	s := sceneReady(t)
	s.window.win.Resize(size(760, 520))
	s.window.tellUnused([]string{"listen", "gateway-url"})
	return s
}

// sceneUnsavedToken asks about a token that was typed.
func sceneUnsavedToken(t *testing.T) *stage {
	s := sceneGuide(presenter.GuideToken)(t)
	s.window.win.Resize(size(760, 520))
	s.window.guide.token.entry.SetText("typed")
	s.quit()
	return s
}

// sceneGuide is a step of the guide with something typed.
func sceneGuide(step presenter.GuideStep) func(*testing.T) *stage {
	return func(t *testing.T) *stage {
		c := newFakeCore()
		c.settings.App.Guided, c.status.State = false, presenter.Running
		c.finding = probe.Finding{Cause: probe.WrongGateway, Code: 2001, Said: "Cloudflare 2001: Please configure AI Gateway in the Cloudflare dashboard", Gateways: []string{"office"}}
		s := newStage(t, c)
		s.start()
		s.window.settings.form.SetText(presenter.FieldAccount, "0123456789abcdef0123456789abcdef")
		if step == presenter.GuideGateway {
			s.window.settings.form.SetText(presenter.FieldGateway, "Home Gateway")
		}
		s.window.guide.turn(step)
		if step == presenter.GuideTest {
			s.until("the finding", func() bool { return s.window.guide.test.verdict.Text != "" })
		}
		return s
	}
}

// sceneGuideBlamed is back at the field that the test found wrong.
func sceneGuideBlamed(t *testing.T) *stage {
	c := readyCore()
	c.finding = probe.Finding{Cause: probe.WrongGateway, Gateways: []string{"office"}}
	s := newStage(t, c)
	s.start()
	g := s.window.guide
	g.show()
	g.turn(presenter.GuideTest)
	s.until("the finding", func() bool { return g.test.verdict.Text != "" })
	test.Tap(g.mend)
	return s
}

// sceneGuideLocked asks for the token of a keychain that is locked.
func sceneGuideLocked(t *testing.T) *stage {
	s := sceneGuide(presenter.GuideToken)(t)
	s.core.states[presenter.GatewayToken] = presenter.SecretLocked
	s.checkToken()
	s.until("the lock", func() bool { return s.token == presenter.SecretLocked })
	s.window.guide.turn(presenter.GuideToken)
	return s
}

func sceneGuideDemo(t *testing.T) *stage {
	s := sceneGuide(presenter.GuideAccount)(t)
	s.window.guide.showDemo()
	return s
}

// sceneImport asks whether a file is to be imported.
func sceneImport(t *testing.T) *stage {
	s := sceneSettings(t)
	in, err := presenter.ReadImport([]byte(`{"vars":{"ACCOUNT_ID":"fedcba9876543210fedcba9876543210","GATEWAY_ID":"office","GatewayToken":"x","AZURE_RESOURCE":"your-azure-resource-name"}}`),
		s.core.Settings(), s.core.Providers())
	if err != nil {
		t.Fatal(err)
	}
	s.window.win.Resize(size(760, 520))
	s.window.settings.offerImport(in)
	return s
}

var madeUpProviders = []probe.Provider{
	{Name: "openai", Title: "OpenAI", State: probe.Ready},
	{Name: "anthropic", Title: "Anthropic", State: probe.Ready},
	{Name: "google-ai-studio", Title: "Google AI Studio", State: probe.KeyMissing},
	{Name: "grok", Title: "xAI Grok", State: probe.KeyMissing},
	{Name: "deepseek", Title: "DeepSeek", State: probe.KeyMissing},
}

// sceneTested is the settings after a test of the connection.
func sceneTested(f probe.Finding) func(*testing.T) *stage {
	return func(t *testing.T) *stage {
		c := readyCore()
		c.finding = f
		s := newStage(t, c)
		s.start()
		s.window.open(pageSettings)
		s.window.settings.testQuietly()
		s.until("the finding", func() bool { return s.window.settings.test.verdict.Text != "" })
		return s
	}
}

func sceneSettingsEnd(t *testing.T) *stage {
	s := sceneSettings(t)
	s.window.win.Resize(size(windowWidth, windowHeight))
	s.window.settings.scroll.ScrollToBottom()
	return s
}

func sceneClients(t *testing.T) *stage {
	s := sceneReady(t)
	s.window.open(pageClients)
	return s
}

func sceneClient(id string, variant int) func(t *testing.T) *stage {
	return func(t *testing.T) *stage {
		s := sceneClients(t)
		s.clients.Choose(id)
		s.clients.ChooseVariant(variant)
		s.window.clients.refresh()
		return s
	}
}

func sceneClientsStopped(t *testing.T) *stage {
	c := readyCore()
	c.status.State, c.status.Addr = presenter.Stopped, "127.0.0.1:0"
	s := newStage(t, c)
	s.start()
	s.window.open(pageClients)
	return s
}

// namedCore has names for models, as they come to be in a year.
func namedCore() *fakeCore {
	c := readyCore()
	c.settings = c.settings.WithTier(settings.TierOpus, "gpt-5#openai").WithTier(settings.TierHaiku, "gpt-5-mini#openai")
	c.settings.Aliases = map[string]any{
		presenter.DefaultAlias: "claude-sonnet-4-5#anthropic",
		"best":                 []string{"claude-sonnet-4-5#anthropic", "gpt-5#openai"},
		"gpt-4*":               "gpt-5-mini#openai",
	}
	c.trials = map[string]error{"claude-haiku": refusedToken()}
	return c
}

func openModels(t *testing.T, c *fakeCore) (*stage, *modelsPage) {
	t.Helper()
	s := newStage(t, c)
	s.start()
	s.window.open(pageModels)
	return s, s.window.models
}

// sceneModels is the page after some models were tried.
func sceneModels(t *testing.T) *stage {
	s, p := openModels(t, namedCore())
	for _, f := range []*nameField{p.tiers.rows[0], p.tiers.rows[2], p.own.rows[1]} {
		test.Tap(f.try)
		s.until("an answer", func() bool { return !p.form.Tiers()[0].Busy && !p.form.Tiers()[2].Busy && !p.form.Own()[1].Busy })
	}
	return s
}

func sceneNoNames(t *testing.T) *stage {
	s, _ := openModels(t, newFakeCore())
	s.core.set(presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"})
	s.settle()
	return s
}

func sceneWrongNames(t *testing.T) *stage {
	s, p := openModels(t, namedCore())
	p.tiers.rows[1].models.SetText("best")
	p.own.rows[2].models.SetText("gpt-*#openai")
	test.Tap(p.add)
	p.own.rows[3].name.SetText("mine")
	lookDown(s, 240)
	return s
}

func sceneModelsStopped(t *testing.T) *stage {
	c := namedCore()
	c.status.State = presenter.Stopped
	s, _ := openModels(t, c)
	return s
}

// sceneModelsFailed has a port that somebody else has, and a flag that names it.
func sceneModelsFailed(t *testing.T) *stage {
	s := sceneFailedFixed(t)
	s.window.open(pageModels)
	return s
}

func sceneCatalogue(t *testing.T) *stage {
	s, p := openModels(t, namedCore())
	lookDown(s, 560)
	p.catalogue.search.SetText("a")
	return s
}

// lookDown scrolls the page of models.
func lookDown(s *stage, to float32) {
	s.window.win.Resize(size(windowWidth, windowHeight))
	s.window.win.Content().Refresh()
	s.window.models.scroll.ScrollToOffset(fyne.NewPos(0, to))
}

// refusedToken is what the proxy says when the gateway does not take its token.
func refusedToken() *prose.Error {
	return prose.Errorf("%s (Cloudflare %d: %s)",
		prose.New("The gateway refused the token. Replace it in Settings, or run apex-ai-proxy token set."), 2009, prose.Verbatim("Unauthorized"))
}

// workday is half an hour of requests.
func workday() []event.Exchange {
	start := time.Date(2026, 3, 4, 14, 2, 11, 0, time.Local)
	ask := func(client, path, asked, used, provider, from, to string) event.Exchange {
		return event.Exchange{
			Client: client, Method: "POST", Path: path, ModelAsked: asked, ModelUsed: used, Provider: provider,
			ClientProtocol: from, UpstreamProtocol: to, Revision: 1, Stream: true, BytesIn: 18211,
		}
	}
	const chat, messages = "openai-chat", "anthropic-messages"
	claude := ask("Claude Code", "/v1/messages", "claude-sonnet-4-5#anthropic", "claude-sonnet-4-5", "anthropic", messages, messages)
	gpt := ask("Cline", "/v1/chat/completions", "gpt-5#openai", "gpt-5", "openai", chat, chat)
	cross := ask("Claude Code", "/v1/messages", "claude-haiku-4-5", "gemini-2.5-pro", "google-ai-studio", messages, chat)
	azure := ask("OpenAI SDK Python", "/v1/chat/completions", "claude-opus-4-1-20250805#anthropic", "claude-opus-4-1-20250805", "anthropic", chat, messages)
	long := ask("a-client-with-a-long-name/2.14", "/v1/chat/completions", "@cf/meta/llama-3.3-70b-instruct-fp8-fast#workers-ai", "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "workers-ai", chat, chat)
	list := event.Exchange{Client: "Cline", Method: "GET", Path: "/v1/models", Revision: 1}

	var out []event.Exchange
	add := func(x event.Exchange, p event.Phase, status int, first, all time.Duration, in, outTokens int64) {
		start = start.Add(37 * time.Second)
		x.ID = fmt.Sprintf("req_%s%02d", strings.Repeat("7", 12), len(out))
		x.Start, x.Phase, x.Status, x.FirstByte, x.Duration = start, p, status, first, all
		x.Tokens = event.Tokens{Input: in, Output: outTokens, Known: outTokens > 0}
		x.BytesOut = 4 * outTokens
		out = append(out, x)
	}
	ms, sec := time.Millisecond, time.Second
	add(list, event.Done, 200, 2*ms, 2*ms, 0, 0)
	add(claude, event.Done, 200, 812*ms, 6400*ms, 18204, 642)
	out[1].Tokens.CacheRead, out[1].GatewayLogID, out[1].CacheStatus = 16880, "01JF3Z8Q4M7T2V", "MISS"
	add(claude, event.Done, 200, 640*ms, 12900*ms, 21077, 1405)
	add(gpt, event.Done, 200, 1204*ms, 4100*ms, 3120, 288)
	add(cross, event.Done, 200, 933*ms, 8800*ms, 19002, 977)
	lost := func(path string, text prose.Text) event.Warning {
		return event.Warning{Path: path, Why: text.String(), Text: text}
	}
	noThinking := lost("thinking", prose.New("the amount of thinking cannot be set for this model"))
	out[4].Warnings = []event.Warning{noThinking}
	add(gpt, event.Failed, 429, 0, 340*ms, 0, 0)
	out[5].Error, out[5].ErrorKind = "The provider openai limits requests for this key: 60 per minute. It asks to wait 14 seconds.", "rate_limited"
	add(azure, event.Done, 200, 1430*ms, 92*sec, 44210, 6120)
	out[6].Tries = []event.Try{{Status: 529, Wait: 700 * ms, Text: prose.New("%s did not answer within %s", "Azure OpenAI", "5m")}}
	add(claude, event.Cancelled, 200, 700*ms, 2300*ms, 0, 0)
	add(long, event.Done, 200, 210*ms, 1900*ms, 512, 260)
	add(cross, event.Failed, 401, 0, 180*ms, 0, 0)
	out[9].ErrorText = refusedToken().Told()
	out[9].Error = out[9].ErrorText.String()
	out[9].ErrorKind = "cf_2009"
	out[9].Tries = []event.Try{{Wait: 500 * ms, Text: prose.New("%s did not answer within %s", "Google AI Studio", "5m")}}
	out[9].Warnings = []event.Warning{
		lost("top_k", prose.New("this provider does not support top_k")), noThinking,
	}
	add(claude, event.Done, 200, 590*ms, 7700*ms, 22610, 830)
	start = time.Now().Add(-37*time.Second - 4300*ms)
	add(claude, event.Streaming, 200, 655*ms, 0, 0, 0)
	out[11].BytesOut, out[11].Tokens.Output = 6120, 214
	start = time.Now().Add(-37*time.Second - 900*ms)
	add(gpt, event.Waiting, 0, 0, 0, 0, 0)
	return out
}
