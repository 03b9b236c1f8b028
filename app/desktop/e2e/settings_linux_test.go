package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/demo/fakegateway"
)

// setup is the program on its page of settings, on a gateway that takes only the right
// token.
type setup struct {
	*program
	addr   string
	window string
}

func newSetup(t testing.TB, s *session, args ...string) *setup {
	t.Helper()
	guided(t, s)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
	gateway := fakegateway.New(t, fakegateway.Options{})
	u := &setup{addr: freeAddr(t)}
	u.program = s.start(append(args, "--listen", u.addr, "--gateway-url", gateway.URL)...)
	u.window = s.window()
	u.says("Running on " + u.addr)
	return u
}

// typed types a text where the cursor is.
func (u *setup) typed(text string) {
	u.t.Helper()
	u.mustRun("xdotool", "type", "--delay", "40", text)
}

// names types account and gateway, and saves.
func (u *setup) names() {
	u.t.Helper()
	before := u.settled(u.window, nil, "setup-before")
	u.key("ctrl+comma")
	u.settled(u.window, before, "setup-names")
	u.typed(fakegateway.Account)
	u.key("Tab")
	u.typed(fakegateway.Name)
	u.key("Return")
	u.until("the settings to be saved", func() bool {
		text, _ := os.ReadFile(u.session.settings())
		return strings.Contains(string(text), fakegateway.Account) && strings.Contains(string(text), fakegateway.Name)
	})
}

// token types the token and stores it.
func (u *setup) token() {
	u.t.Helper()
	u.key("ctrl+comma")
	u.settled(u.window, nil, "setup-token")
	u.typed(fakegateway.Token)
	u.key("Return")
}

// line is the line of the tray that tells the state.
func (u *setup) line() string {
	_, lines := u.menu()
	if len(lines) == 0 {
		return ""
	}
	return lines[0].label
}

// attention is what the line says when something is to be done.
const attention = " · attention needed"

// needs waits until the program says that something is to be done about the token, or not
// any more.
func (u *setup) needs(something bool) {
	u.t.Helper()
	want := "Running on " + u.addr
	if something {
		want += attention
	}
	u.until(fmt.Sprintf("the tray to say %q", want), func() bool { return u.line() == want })
}

// ask sends a request to the gateway and returns its status.
func (u *setup) ask() int {
	u.t.Helper()
	return post(u.t, u.addr, `{"model":"gpt-4o-mini#openai","messages":[{"role":"user","content":"Hello"}]}`)
}

// kept is the token in the keychain.
func (s *session) kept() string {
	out, _ := s.run("secret-tool", "lookup", "service", "apex-ai-proxy", "username", "gateway-token")
	return strings.TrimSpace(out)
}

// works fails unless requests reach the gateway and nobody else has seen the token.
func (u *setup) works() {
	u.t.Helper()
	if status := u.ask(); status != http.StatusOK {
		u.t.Errorf("the gateway answers %d", status)
	}
	text, err := os.ReadFile(u.session.settings())
	must(u.t, err)
	for where, said := range map[string]string{"settings": string(text), "log": u.log.String()} {
		if strings.Contains(said, fakegateway.Token) {
			u.t.Errorf("the token is in the %s", where)
		}
	}
	wrongThread(u.t, u.program)
}

func TestSettingsUnlocked(t *testing.T) {
	u := newSetup(t, newSession(t, false))
	if status := u.ask(); status == http.StatusOK {
		t.Fatal("requests get through without a token")
	}
	u.names()
	u.needs(true)
	u.token()
	u.until("the token in the keychain", func() bool { return u.kept() == fakegateway.Token })
	u.needs(false)
	u.works()
}

// known names the gateway, so that only the token is left to be found.
var known = []string{"--account", fakegateway.Account, "--gateway", fakegateway.Name}

// withToken is a session whose keychain has the token already.
func withToken(t testing.TB, ring keychain) *session {
	t.Helper()
	s := newSessionWith(t, false, ring)
	cmd := s.command("secret-tool", "store", "--label=A token", "service", "apex-ai-proxy", "username", "gateway-token")
	cmd.Stdin = strings.NewReader(fakegateway.Token)
	must(t, cmd.Run())
	return s
}

// The system shows its dialog at the start. What it opens is in force at once.
func TestSettingsLocked(t *testing.T) {
	s := withToken(t, unlocked)
	s.lock()
	u := newSetup(t, s, known...)
	u.needs(true)
	u.mustRun("xdotool", "search", "--sync", "--onlyvisible", "--name", "^Unlock Login Keyring$", "windowactivate", "--sync")
	u.typed(password)
	u.key("Return")
	u.needs(false)
	u.works()
	if said := u.log.String(); strings.Contains(said, "cannot be read") {
		t.Errorf("the program has not waited for the answer:\n%s", said)
	}
}

// Where there is no dialog, what was typed stays until the keychain is opened in another
// way; that is seen within seconds.
func TestSettingsClosed(t *testing.T) {
	s := newSessionWith(t, false, bare)
	s.lock()
	u := newSetup(t, s)
	u.names()
	u.needs(true)
	u.token()
	refused := u.settled(u.window, nil, "setup-refused")
	u.needs(true)
	u.unlock()
	u.settled(u.window, refused, "setup-opened")
	u.key("Return")
	u.until("the token in the keychain", func() bool { return u.kept() == fakegateway.Token })
	u.needs(false)
	u.works()
}

// Without a keychain settings are saved as ever, and a token is good for this run.
func TestSettingsAbsent(t *testing.T) {
	s := newSessionWith(t, false, absent)
	u := newSetup(t, s)
	u.names()
	u.needs(true)
	u.token()
	u.needs(false)
	u.works()
	u.settled(u.window, nil, "setup-in-memory")
	u.click("Quit")
	if code := u.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	again := s.start("--listen", u.addr)
	again.says("Running on " + u.addr + attention)
}

// A keychain that comes up after the program, as at login, is read then.
func TestKeychainComesLate(t *testing.T) {
	s := withToken(t, bare)
	s.endKeyring()
	u := newSetup(t, s, known...)
	u.needs(true)
	s.keyring(true)
	u.needs(false)
	u.works()
}

// tabsTo is how often Tab is pressed to get from the account to a field when nothing is set
// up. The tests of the window keep the list that is counted.
func tabsTo(t testing.TB, field string) int {
	t.Helper()
	list, err := os.ReadFile("../../../ui/testdata/settings-focus.txt")
	must(t, err)
	n := slices.Index(strings.Split(string(list), "\n"), field)
	if n < 0 {
		t.Fatalf("Tab does not reach %s", field)
	}
	return n
}

// TestAppearance switches language and theme while the program runs. The theme comes behind
// the language, and a field that is typed before it.
func TestAppearance(t *testing.T) {
	u := newSetup(t, newSession(t, true)) // without a tray Tab passes over a field, seconds after the start
	u.key("ctrl+comma")
	light := u.settled(u.window, nil, "appearance-light")
	for range tabsTo(t, settings.FieldLanguage) {
		u.key("Tab")
	}
	third := []string{"space", "Down", "Down", "Down", "Return"}
	u.key(third...)
	u.key("Tab")
	u.key(third...)
	u.key("shift+Tab", "shift+Tab", "Return")
	u.says("退出")
	u.until("the settings to be saved", func() bool {
		text, err := os.ReadFile(u.session.settings())
		return err == nil && strings.Contains(string(text), "theme = 'dark'") && strings.Contains(string(text), "language = 'zh-Hans'")
	})
	if b := brightness(t, light); b < 200 {
		t.Errorf("the window is %d bright in light", b)
	}
	u.until("the window to be dark", func() bool { return brightness(t, u.picture(u.window, "appearance-dark")) <= 60 })
	wrongThread(t, u.program)
}

// brightness is how bright a picture is, up to 255.
func brightness(t testing.TB, picture []byte) (mean int) {
	t.Helper()
	img := decoded(t, picture)
	sum := 0
	for i := 0; i < len(img.Pix); i += 4 {
		sum += int(img.Pix[i+1])
	}
	return sum * 4 / len(img.Pix)
}
