package ui

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

// onDisk is a file as a dialog makes it, open to all.
type onDisk struct {
	*os.File
	at fyne.URI
}

// URI implements fyne.URIWriteCloser.
func (f onDisk) URI() fyne.URI { return f.at }

// What is saved is the user's alone, also in a file that was there.
func TestSavedFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" { // modes mean nothing there; folders decide
		return
	}
	s, p := openSettings(t, readyCore())
	for name, save := range map[string]func(fyne.URIWriteCloser){
		"settings": p.writeExport,
		"HAR":      func(f fyne.URIWriteCloser) { s.window.write(f, presenter.HAR, s.log.All()) },
		"JSONL":    func(f fyne.URIWriteCloser) { s.window.write(f, presenter.JSONL, s.log.All()) },
	} {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.Create(path)
		if err == nil {
			err = f.Chmod(0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		save(onDisk{f, storage.NewFileURI(path)})
		s.until("the file", s.window.toast.content.Visible)
		if f, err := os.Stat(path); err != nil || f.Mode() != 0o600 {
			t.Errorf("%s: %v %v", name, f.Mode(), err)
		}
		s.pass()
	}
}

// file is a file in memory.
type file struct {
	bytes.Buffer
	err    error
	closed bool
}

func (f *file) Close() error {
	f.closed = true
	return f.err
}

// URI implements fyne.URIWriteCloser.
func (f *file) URI() fyne.URI { return storage.NewFileURI("/home/me/requests.har") }

func TestExport(t *testing.T) {
	s, p := openSettings(t, readyCore())
	f, said := &file{}, s.window.toast
	p.writeExport(f)
	s.until("the file", said.content.Visible)
	if said.text.text != "Saved requests.har, without secrets." {
		t.Errorf("it says %q", said.text.text)
	}
	if text := f.String(); !f.closed || !strings.Contains(text, testAccount) || strings.Contains(text, "made-up") {
		t.Errorf("closed %v: %s", f.closed, text)
	}
	s.pass()
	if said.content.Visible() {
		t.Error("it says so for ever")
	}
	p.writeExport(&file{err: errors.New("disk full")})
	s.until("the failure", func() bool { return s.window.win.Canvas().Overlays().Top() != nil })
	if said.content.Visible() {
		t.Error("it says that a file was saved")
	}
}

// Saved requests say where they are.
func TestSavedRequestsAreShown(t *testing.T) {
	s := sceneDetail(t)
	var opened []string
	s.opts.OpenURL = func(u *url.URL) error {
		opened = append(opened, u.String())
		return nil
	}
	said := s.window.toast
	list := s.log.All()[:2]
	for _, x := range list {
		s.core.bytes.Open(x.ID).Request(capture.ClientRequest, "POST", "/v1/messages", nil, []byte("{}"))
	}
	s.window.write(&file{}, presenter.HAR, list)
	s.until("the file", said.content.Visible)
	test.Tap(said.next)
	if said.text.text != "Saved requests.har." || !slices.Equal(opened, []string{"file:///home/me"}) && !slices.Equal(opened, []string{"file:///home/me/"}) {
		t.Errorf("%q, opened %q", said.text.text, opened)
	}
	list = append(list, event.Exchange{ID: "req_refused", Phase: event.Failed})
	s.window.write(&file{}, presenter.HAR, list)
	s.until("the file with less in it", func() bool {
		return said.text.text == "Saved requests.har. Not in it: 1 of 3 requests, whose content is not kept."
	})
	s.window.write(&file{}, presenter.JSONL, list)
	s.until("the file with all in it", func() bool { return said.text.text == "Saved requests.har." })
}

// dialogText is all that a dialog says.
func (s *stage) dialogText() string {
	var texts []string
	walk(s.window.win.Canvas().Overlays().Top(), func(text string) { texts = append(texts, text) })
	return strings.Join(texts, "\n")
}

func TestImport(t *testing.T) {
	c := readyCore()
	s, p := openSettings(t, c)
	p.readImport(io.NopCloser(strings.NewReader("{\"vars\": {\"GATEWAY_ID\": \"work\", \"GatewayToken\": \"made-up-secret\"}, } // mine")))
	s.until("the question", func() bool { return s.window.win.Canvas().Overlays().Top() != nil })
	text := s.dialogText()
	for _, want := range []string{"gateway.id", "From home to work", "GatewayToken", "A secret is not read"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "made-up-secret") || len(c.saved) > 0 {
		t.Errorf("saved %v, shown %s", c.saved, text)
	}
	p.importNow(func() settings.Settings { s := c.Settings(); s.Gateway.ID = "work"; return s }())
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	if p.field(presenter.FieldGateway).entry.Text != "work" || s.settings.Gateway.ID != "work" {
		t.Errorf("shown %q", p.field(presenter.FieldGateway).entry.Text)
	}
}

func TestImportSaysWhatIsWrong(t *testing.T) {
	for content, want := range map[string]string{
		"nonsense":                                "neither settings of this program",
		`{"vars":{"ACCOUNT_ID":"x y"}}`:           "An account ID has 32 characters",
		strings.Repeat("#", settings.MaxImport+5): "too large",
	} {
		c := readyCore()
		s, p := openSettings(t, c)
		p.readImport(io.NopCloser(strings.NewReader(content)))
		s.until("the refusal", func() bool { return s.window.win.Canvas().Overlays().Top() != nil })
		if text := s.dialogText(); !strings.Contains(text, want) || len(c.saved) > 0 {
			t.Errorf("saved %v: %s", c.saved, text)
		}
	}
}

func TestGuideIsReachedFromSettings(t *testing.T) {
	s, p := openSettings(t, readyCore())
	test.Tap(p.guide)
	if !s.window.guide.shown || s.window.guide.gateway.entry.Text != "home" {
		t.Error("there is no guide")
	}
}
