package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

const sessionBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=%s</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// silentKeychain starts a session bus with a keychain that takes every call and answers
// none. It returns the bus's address, and the calls.
func silentKeychain(t *testing.T) (address string, calls <-chan *dbus.Message) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "apex") // short: the path of a socket has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, sessionBus, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	bus := exec.Command("dbus-daemon", "--config-file="+config, "--print-address", "--nofork")
	bus.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Fatalf("dbus-daemon is needed to imitate a keychain: %v", err)
	}
	t.Cleanup(func() {
		_ = bus.Process.Kill()
		_ = bus.Wait()
	})
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	taken := make(chan *dbus.Message, 100)
	conn.Eavesdrop(taken) // what is overheard is not answered
	if err := conn.BusObject().Call("org.freedesktop.DBus.RequestName", dbus.FlagNoReplyExpected, "org.freedesktop.secrets", uint32(0)).Err; err != nil {
		t.Fatal(err)
	}
	return address, taken
}

// TestKeychainThatNeverAnswers: the program listens, says what it waits for, answers what
// needs no secret, and ends when it is told to.
func TestKeychainThatNeverAnswers(t *testing.T) {
	address, calls := silentKeychain(t)
	g := fakegateway.New(t, fakegateway.Options{})
	p := start(t, config{
		args: []string{"--gateway-url", g.URL},
		env: []string{
			"DBUS_SESSION_BUS_ADDRESS=" + address, "APEX_LOCAL_KEY=",
			"ACCOUNT_ID=" + fakegateway.Account, "GATEWAY_ID=" + fakegateway.Name,
		},
	})
	for m := range calls {
		if m.Type == dbus.TypeMethodCall {
			break // the keychain is asked
		}
	}
	if a := p.send("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("it does not answer: %d", a.status)
	}
	for path, model := range map[string]string{chatPath: "gpt-4o#openai", messagesPath: "claude-sonnet-4-5#anthropic"} {
		a := p.send("POST", path, noStream(path, model))
		if a.status != 503 || !strings.Contains(a.body, "unlock") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
		}
	}
	if len(g.Requests()) > 0 {
		t.Error("a request was sent without its token")
	}
	if _, err := p.stderr.find(deadline(t), "waiting for the system keychain", p.ended); err != nil {
		t.Error(err)
	}
	p.terminate()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if code := p.exit(ctx); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}
