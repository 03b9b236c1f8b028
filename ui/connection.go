package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// testLimit is how long a test of the connection may take, with the keychain.
const testLimit = probe.Limit + askLimit

// connection tests the connection to the gateway and shows what was found.
type connection struct {
	w        *window
	settings func() settings.Settings // to be tested
	token    func() string            // that was typed, "" for the stored one
	found    func()                   // called after each test
	content  *fyne.Container
	button   *button
	dot      *dot
	text     *paragraph
	cure     *paragraph
	detail   *paragraph
	result   *fyne.Container

	runs    int // so that only the last test counts
	running bool
	verdict presenter.Verdict // the zero one before the first test
}

func newConnection(w *window, s func() settings.Settings, token func() string, found func()) *connection {
	c := &connection{w: w, settings: s, token: token, found: found}
	c.button = newButton(words.T("Test connection"), c.test)
	c.dot, c.text, c.cure, c.detail = newDot(10), newParagraph(""), newParagraph(""), newParagraph("").note()
	c.result = marked(c.dot, stack(gapTight, c.text, c.cure, c.detail), sizeText)
	c.content = stack(gap, inRow(0, c.button), c.result)
	c.show()
	return c
}

// test asks the gateway.
func (c *connection) test() {
	c.runs++
	mine := c.runs
	c.running = true
	c.show()
	s, token := c.settings(), c.token()
	var f probe.Finding
	core := c.w.u.core
	c.w.u.run(testLimit, func(ctx context.Context) error {
		f = core.TestConnection(ctx, s, token)
		return nil
	}, func(error) {
		if mine != c.runs {
			return // what was tested has changed
		}
		c.running, c.verdict = false, presenter.Judge(f)
		c.show()
		c.found()
	})
}

// forget drops a result that no longer holds, also one that is still to come.
func (c *connection) forget() {
	if !c.running && c.verdict == (presenter.Verdict{}) {
		return
	}
	c.runs++
	c.running, c.verdict = false, presenter.Verdict{}
	c.show()
}

func (c *connection) show() {
	v := c.verdict
	if c.running {
		v = presenter.Verdict{Tone: presenter.ToneBusy, Text: words.T("Asking the gateway…")}
	}
	enable(c.button, !c.running)
	c.dot.set(v.Tone)
	c.text.set(v.Text, widget.MediumImportance)
	c.cure.set(v.Cure, widget.MediumImportance)
	c.detail.set(v.Detail, widget.LowImportance)
	c.cure.Hidden, c.detail.Hidden = v.Cure == "", v.Detail == ""
	c.result.Hidden = v.Text == ""
	c.content.Refresh()
}

// resume takes over from the part in another language.
func (c *connection) resume(old *connection) {
	if old.verdict != (presenter.Verdict{}) || old.running {
		c.test()
	}
}
