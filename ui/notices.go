package ui

import (
	"net/url"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// notices tell what is the matter with the settings file.
type notices struct {
	w     *window
	shown func() bool // whether they are shown now
	box   *fyne.Container
}

func newNotices(w *window, shown func() bool) *notices {
	n := &notices{w: w, shown: shown, box: stack(gap)}
	n.look()
	return n
}

// look takes over what there is to tell, which may have changed when settings were saved.
func (n *notices) look() {
	n.box.RemoveAll()
	if n.shown() {
		for _, text := range n.w.u.core.Notices() {
			d := newDot(10)
			d.set(presenter.ToneWarn)
			p := newParagraph(text)
			p.importance = widget.WarningImportance
			n.box.Add(marked(d, p, sizeText))
		}
	}
	if len(n.box.Objects) > 0 {
		n.box.Add(padded(0, 0, markWidth, 0, inRow(gap,
			widget.NewButton(words.T("Open settings file"), n.open),
			widget.NewButton(words.T("Show in folder"), n.reveal))))
	}
	show(n.box, len(n.box.Objects) > 0)
}

// open opens the settings file in the system's editor.
func (n *notices) open() { n.w.openFile(n.w.u.core.SettingsFile()) }

// reveal opens the folder of the settings file.
func (n *notices) reveal() { n.w.openFile(filepath.Dir(n.w.u.core.SettingsFile())) }

// openFile has the system open a file or a folder.
func (w *window) openFile(path string) {
	address, err := url.Parse(storage.NewFileURI(path).String())
	if err == nil {
		err = w.u.opts.OpenURL(address)
	}
	if err != nil {
		w.tell(words.F("It could not be opened. It is {{.Path}}.", words.V{"Path": path}))
	}
}
