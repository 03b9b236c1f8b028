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

// How long a toast is shown: what is only read, and what leads somewhere.
const (
	toastTime = 3 * time.Second
	nextTime  = 6 * time.Second
)

// toast says for a while, in the sidebar where it covers nothing, what was done, with a button
// for what may come next. It moves nothing and takes no focus; a click or Escape ends it.
type toast struct {
	w       *window
	text    *paragraph
	next    *button
	content *fyne.Container
	times   int // so that only the end of the last one hides it
}

func newToast(w *window) *toast {
	t := &toast{w: w, text: newParagraph(""), next: newButton("", nil)}
	t.text.size = sizeNote
	mark := newDot(9)
	mark.set(presenter.ToneGood)
	text := container.New(besideLayout{}, padded(gapTight, 0, 0, gap, stack(0, mark)), t.text)
	t.content = container.New(toastLayout{w}, container.NewStack(newGround(theme.ColorNameSeparator, 9),
		padded(1, 1, 1, 1, newGround(theme.ColorNameOverlayBackground, 8)), newCover(func() { t.dismiss() }),
		padded(gap+gapTight, gap+gapTight, gap+gapTight, gap, stack(gap, text, t.next))))
	t.content.Hide()
	return t
}

// dismiss ends it, and tells whether there was anything to end.
func (t *toast) dismiss() bool {
	shown := t.content.Visible()
	t.content.Hide()
	return shown
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
	t.text.set(text, widget.MediumImportance)
	t.content.Show()
	t.content.Refresh()
	t.times++
	mine, time := t.times, toastTime
	if t.next.Visible() {
		time = nextTime
	}
	t.w.u.after(time, func() {
		if mine == t.times {
			t.content.Hide()
		}
	})
}

// fileName is what a file is called.
func fileName(file fyne.URI) string { return path.Base(file.Path()) }

// toastLayout puts its object into the sidebar, above what stands at its foot.
type toastLayout struct{ w *window }

// Layout implements fyne.Layout.
func (l toastLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		for range 2 { // the height of the text is known once it has its width
			o.Resize(fyne.NewSize(sidebarWidth-2*gap, o.MinSize().Height))
		}
		o.Move(fyne.NewPos(gap, s.Height-l.w.side.foot.MinSize().Height-o.Size().Height))
	}
}

// MinSize implements fyne.Layout: it takes the room of what it lies on.
func (toastLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// cover takes clicks where it lies.
type cover struct {
	widget.BaseWidget
	tapped func()
}

func newCover(tapped func()) *cover {
	c := &cover{tapped: tapped}
	c.ExtendBaseWidget(c)
	return c
}

// CreateRenderer implements fyne.Widget.
func (c *cover) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}

// Tapped implements fyne.Tappable.
func (c *cover) Tapped(*fyne.PointEvent) { c.tapped() }
