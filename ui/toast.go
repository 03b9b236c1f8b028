package ui

import (
	"net/url"
	"path"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// toastTime is how long a toast is shown.
const toastTime = 8 * time.Second

// toast says for a while, at the foot of the window, what was done, with a button for what
// may come next. It moves nothing and takes no focus.
type toast struct {
	w       *window
	text    *line
	next    *button
	content *fyne.Container
	times   int // so that only the end of the last one hides it
}

func newToast(w *window) *toast {
	t := &toast{w: w, text: newLine("", faceText), next: newButton("", nil)}
	mark := newDot(10)
	mark.set(presenter.ToneGood)
	t.next.Importance = widget.LowImportance
	row := inRow(gap, mark, padded(0, 0, gapTight, gapWide, t.text), t.next)
	t.content = container.New(toastLayout{w}, container.NewStack(newGround(theme.ColorNameSeparator, 9),
		padded(1, 1, 1, 1, newGround(theme.ColorNameOverlayBackground, 8)), padded(gap, gap, gapWide, gap, row)))
	t.content.Hide()
	return t
}

// saved says that a file was written, and offers to show it.
func (t *toast) saved(text string, file fyne.URI) {
	folder, err := storage.Parent(file)
	t.next.Hidden = err != nil || file.Scheme() != "file"
	t.next.SetText(words.T("Show in folder"))
	t.next.OnTapped = func() { t.open(folder) }
	t.show(text)
}

func (t *toast) open(folder fyne.URI) {
	address, err := url.Parse(folder.String())
	if err == nil {
		err = t.w.u.opts.OpenURL(address)
	}
	if err != nil {
		t.w.tell(presenter.Tell(err))
	}
}

// plain says something that nothing comes next to.
func (t *toast) plain(text string) {
	t.next.Hide()
	t.show(text)
}

func (t *toast) show(text string) {
	t.text.set(text)
	t.content.Show()
	t.content.Refresh()
	t.times++
	mine := t.times
	t.w.u.after(toastTime, func() {
		if mine == t.times {
			t.content.Hide()
		}
	})
}

// fileName is what a file is called.
func fileName(file fyne.URI) string { return path.Base(file.Path()) }

// toastLayout puts its object at the foot of the page, in the middle.
type toastLayout struct{ w *window }

// Layout implements fyne.Layout.
func (l toastLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	side, foot := l.w.side.content.MinSize().Width, float32(0)
	switch l.w.current {
	case pageSettings:
		foot = l.w.settings.foot.MinSize().Height
	case pageModels:
		foot = l.w.models.foot.MinSize().Height
	}
	for _, o := range objects {
		m := o.MinSize()
		o.Resize(m)
		o.Move(fyne.NewPos(side+(s.Width-side-m.Width)/2, s.Height-foot-m.Height-gapWide))
	}
}

// MinSize implements fyne.Layout: it takes the room of what it lies on.
func (toastLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
