package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

const (
	boxWidth  = 440 // of what asks or tells something in a sentence
	boxButton = 96  // the least width of a button in it
)

// box asks or tells something above the page: a title, what it is about, and at its foot the
// answers, the usual one at the right. Escape cancels it.
type box struct {
	w      *window
	popUp  *widget.PopUp
	cancel func() // nil when there is nothing to go back to
}

// newBox makes a box that is to be shown. cancel is called on Escape; it does not hide the
// box by itself.
func (w *window) newBox(title string, content, answers fyne.CanvasObject, cancel func()) *box {
	head := newParagraph(title)
	head.bold = true
	body := padded(gapBlock, gapBlock, gapBlock, gapBlock, container.New(boxLayout{}, head, content, answers))
	return &box{w: w, popUp: widget.NewModalPopUp(body, w.win.Canvas()), cancel: cancel}
}

// answers are the buttons of a box. The first may be nil; it stands apart at the left,
// because it cannot be taken back.
func answers(apart fyne.CanvasObject, usual ...fyne.CanvasObject) fyne.CanvasObject {
	for i, b := range usual {
		usual[i] = sized(max(boxButton, b.MinSize().Width), b)
	}
	if apart != nil {
		apart = sized(max(boxButton, apart.MinSize().Width), apart)
	}
	return container.NewBorder(nil, nil, apart, inRow(gap, usual...))
}

// show opens the box with the cursor in an object, if that is not nil. It is as high as its
// content wants, but no less than height, and never larger than the window.
func (b *box) show(width, height float32, focus fyne.Focusable) {
	room := b.w.win.Canvas().Size()
	width = min(width, room.Width-2*gapBlock)
	for range 2 { // the height of texts is known once they have their width
		b.popUp.Content.Resize(fyne.NewSize(width, b.popUp.Content.MinSize().Height))
	}
	height = max(height, b.popUp.Content.MinSize().Height)
	b.w.boxes = append(b.w.boxes, b)
	b.popUp.Resize(fyne.NewSize(width, min(height, room.Height-2*gapBlock)))
	b.popUp.Show()
	if focus != nil {
		b.w.win.Canvas().Focus(focus)
	}
}

// hide closes the box. To close it twice does no harm.
func (b *box) hide() {
	b.w.boxes = slices.DeleteFunc(b.w.boxes, func(o *box) bool { return o == b })
	b.popUp.Hide()
}

// boxLayout lays out title, content and answers of a box below each other. The content gets
// what the others leave.
type boxLayout struct{}

// Layout implements fyne.Layout.
func (boxLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(fyne.NewSize(s.Width, o[0].MinSize().Height))
	head, foot := o[0].MinSize().Height+gap+gapTight, o[2].MinSize().Height
	o[0].Move(fyne.NewPos(0, 0))
	o[1].Move(fyne.NewPos(0, head))
	o[1].Resize(fyne.NewSize(s.Width, s.Height-head-foot-gapBlock))
	o[2].Move(fyne.NewPos(0, s.Height-foot))
	o[2].Resize(fyne.NewSize(s.Width, foot))
}

// MinSize implements fyne.Layout.
func (boxLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(0, gap+gapTight+gapBlock)
	for _, o := range o {
		m := o.MinSize()
		s = fyne.NewSize(max(s.Width, m.Width), s.Height+m.Height)
	}
	return s
}

// ask shows a box with a question that is answered with a verb or with Cancel.
func (w *window) ask(title, verb string, content fyne.CanvasObject, width, height float32, done func()) *question {
	q := &question{}
	q.cancel = newButton(words.T("Cancel"), func() { q.box.hide() })
	q.save = newButton(verb, func() {
		q.box.hide()
		done()
	})
	q.save.Importance = widget.HighImportance
	q.box = w.newBox(title, content, answers(nil, q.cancel, q.save), q.cancel.OnTapped)
	q.box.show(width, height, q.save)
	return q
}

// askLoss asks before something is done that cannot be taken back, which is not the answer that
// is offered first.
func (w *window) askLoss(title, verb, text string, done func()) *question {
	q := w.ask(title, verb, newParagraph(text), boxWidth, 0, done)
	q.save.Importance = widget.MediumImportance
	q.save.Refresh()
	w.win.Canvas().Focus(q.cancel)
	return q
}

// inform shows a box that is only closed.
func (w *window) inform(title string, content fyne.CanvasObject, width float32) {
	var b *box
	shut := newButton(words.T("Close"), func() { b.hide() })
	b = w.newBox(title, content, answers(nil, shut), shut.OnTapped)
	b.show(width, 0, shut)
}

// tell says what went wrong.
func (w *window) tell(sentence string) {
	w.inform(words.T("Something went wrong"), newParagraph(sentence), boxWidth)
}

// typed is a key that nothing that has the cursor has a use for.
func (w *window) typed(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		w.escape()
	case fyne.KeyReturn, fyne.KeyEnter:
		w.refuse()
	case fyne.KeyLeft:
		w.turnTab(-1)
	case fyne.KeyRight:
		w.turnTab(1)
	}
}

// turnTab turns the tabs of the inspector, if that can be seen and reached.
func (w *window) turnTab(by int) {
	in := w.requests.inspector
	if w.current == pageRequests && in.content.Visible() && !w.guide.shown && w.win.Canvas().Overlays().Top() == nil {
		in.turn(by)
	}
}

// escape cancels what is topmost.
func (w *window) escape() {
	switch n := len(w.boxes); {
	case n > 0 && w.boxes[n-1].popUp == overlaid(w.win.Canvas().Overlays().Top()):
		if cancel := w.boxes[n-1].cancel; cancel != nil {
			cancel()
		}
	case w.refuse():
	case w.file != nil:
		w.file.Dismiss()
	case w.current == pageRequests && !w.guide.shown:
		w.requests.escape()
	default:
		w.toast.dismiss()
	}
}

// passKey gives a key to the window that an object is in, if it is one that the window may have
// a use for while the object has none, and tells whether it is.
func passKey(o fyne.CanvasObject, k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyEscape, fyne.KeyLeft, fyne.KeyRight:
		passEscape(o, k)
		return true
	}
	return false
}

// passEscape gives the key Escape to the window that an object is in.
func passEscape(o fyne.CanvasObject, k *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(k)
	}
}
