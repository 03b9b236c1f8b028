package ui

import (
	"context"
	"errors"
	"io"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// export asks for a file and writes the saved settings to it.
func (p *settingsPage) export() {
	d := dialog.NewFileSave(func(f fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			p.w.tell(presenter.Tell(err))
		case f != nil:
			p.writeExport(f)
		}
	}, p.w.win)
	d.SetFileName(presenter.ExportName)
	p.w.showFiles(d, words.T("Export settings"))
}

func (p *settingsPage) writeExport(f fyne.URIWriteCloser) {
	s := p.w.u.core.Settings()
	p.w.u.run(fileLimit, func(context.Context) error {
		keepPrivate(f.URI())
		data, err := settings.Export(s)
		if err == nil {
			_, err = f.Write(data)
		}
		return errors.Join(err, f.Close())
	}, func(err error) {
		if err != nil {
			p.w.tell(presenter.Tell(err))
			return
		}
		p.w.toast.saved(words.F("Saved {{.File}}, without secrets.", words.V{"File": fileName(f.URI())}), f.URI())
	})
}

// keepPrivate lets nobody but the user read a file that is about to be written, which a
// file chosen in a dialog is otherwise open to. Where the file system knows no owners, or
// the file is another user's, it stays as it is: the place was chosen.
func keepPrivate(file fyne.URI) {
	if file.Scheme() == "file" {
		_ = os.Chmod(file.Path(), 0o600)
	}
}

// chooseImport asks for a file.
func (p *settingsPage) chooseImport() {
	d := dialog.NewFileOpen(func(f fyne.URIReadCloser, err error) {
		switch {
		case err != nil:
			p.w.tell(presenter.Tell(err))
		case f != nil:
			p.readImport(f)
		}
	}, p.w.win)
	d.SetFilter(storage.NewExtensionFileFilter([]string{".toml", ".jsonc", ".json"}))
	p.w.showFiles(d, words.T("Import settings"))
}

// readImport reads the file and shows what it would change.
func (p *settingsPage) readImport(f io.ReadCloser) {
	core := p.w.u.core
	before := core.Settings()
	var in presenter.Import
	p.w.u.run(fileLimit, func(context.Context) error {
		data, err := io.ReadAll(io.LimitReader(f, settings.MaxImport+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		in, err = presenter.ReadImport(data, before, core.Providers())
		return err
	}, func(err error) {
		if err != nil {
			p.w.tell(presenter.Tell(err))
			return
		}
		p.offerImport(in)
	})
}

// offerImport shows what a file would change, and saves it when the user agrees.
func (p *settingsPage) offerImport(in presenter.Import) {
	list := importList(in)
	list.Content.Resize(fyne.NewSize(importWidth-2*gapBlock, 0)) // its texts know their height then
	height := list.Content.MinSize().Height + importFrame
	if len(in.Changes) == 0 {
		list.SetMinSize(fyne.NewSize(0, min(height, importHeight)-importFrame))
		p.w.inform(words.T("Import settings"), list, importWidth)
		return
	}
	p.w.ask(words.T("Import settings"), words.T("Import"), list, importWidth, min(height, importHeight), func() { p.importNow(in.Settings) })
}

const (
	importWidth  = 560
	importHeight = 480 // at most
	importFrame  = 140 // the height of all but the list
)

// importList is what a file would change and what of it is not taken over.
func importList(in presenter.Import) *scroll {
	body := stack(gapBlock)
	list := func(title, none string, rows []presenter.ImportLine) {
		box := stack(gap)
		for _, r := range rows {
			box.Add(stack(2, newCutLine(r.Name, faceMono, 120), newParagraph(r.Text).note()))
		}
		if len(rows) == 0 {
			box.Add(newParagraph(none))
		}
		body.Add(section(title, box))
	}
	list(words.T("What changes"), words.T("Nothing: the file matches the current settings."), in.Changes)
	if len(in.Ignored) > 0 {
		list(words.T("Not imported"), "", in.Ignored)
	}
	return newScroll(padded(gapTight, 0, 0, gapWide, body))
}

func (p *settingsPage) importNow(s settings.Settings) {
	u := p.w.u
	u.run(saveLimit, func(ctx context.Context) error { return u.core.SaveSettings(ctx, s) }, p.kept)
}
