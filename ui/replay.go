package ui

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// Limits of what the inspector starts.
const (
	replayLimit = 15 * time.Minute // the longest answer that is waited for
	fileLimit   = 2 * time.Minute
)

// menu offers what is done less often. What cannot be done with this request is left out, and
// the reason is said instead.
func (in *inspector) menu() {
	var items []*fyne.MenuItem
	why := map[string]bool{"": true} // what has been said
	because := func(reason string) {
		if !why[reason] {
			m := fyne.NewMenuItem(reason, nil)
			m.Disabled = true
			items = append(items, m)
		}
		why[reason] = true
	}
	if reason := in.unrepeatable(); reason == "" {
		items = append(items, fyne.NewMenuItem(words.T("Edit and send again…"), in.edit))
	} else {
		because(reason)
	}
	for _, c := range []struct {
		label string
		side  capture.Side
		shell export.Shell
	}{
		{words.T("Copy as cURL"), capture.ClientRequest, export.Bash},
		{words.T("Copy as cURL for PowerShell"), capture.ClientRequest, export.PowerShell},
		{words.T("Copy the gateway's request as cURL"), capture.UpstreamRequest, export.Bash},
		{words.T("Copy the gateway's request as cURL for PowerShell"), capture.UpstreamRequest, export.PowerShell},
	} {
		text, err := in.curl(&in.record, c.side, c.shell)
		if err != nil {
			because(err.Error())
			continue
		}
		items = append(items, fyne.NewMenuItem(c.label, func() { in.copied(text, words.T("Copied as cURL.")) }))
	}
	items = append(items, fyne.NewMenuItemSeparator())
	if m := in.dashboard(); m != nil {
		items = append(items, m)
	}
	items = append(items,
		fyne.NewMenuItem(words.T("Copy the summary"), func() { in.copied(in.data.Text(), words.T("Copied the summary.")) }),
		fyne.NewMenuItem(words.T("Save as JSON lines…"), func() { in.w.save(presenter.JSONL, []event.Exchange{in.record}) }),
		fyne.NewMenuItem(words.T("Save as HAR…"), func() { in.w.save(presenter.HAR, []event.Exchange{in.record}) }),
	)
	in.w.popUp(in.more, items)
}

// unrepeatable is why the request cannot be sent again now, "" when it can.
func (in *inspector) unrepeatable() string {
	u := in.w.u
	return presenter.Unrepeatable(u.core.Captures(), &in.record, u.status.State == presenter.Running)
}

// dashboard opens the gateway's own log, where the request is found by its log id, which
// is copied for that. It is nil for a request that is not there.
func (in *inspector) dashboard() *fyne.MenuItem {
	address, id := presenter.GatewayLog(in.w.u.settings), in.record.GatewayLogID
	if id == "" || address == nil {
		return nil
	}
	return fyne.NewMenuItem(words.T("Open the gateway's log"), func() {
		in.copied(id, words.T("Copied the log ID."))
		if err := in.w.u.app.OpenURL(address); err != nil {
			in.w.tell(presenter.Tell(err))
		}
	})
}

// popUp shows a menu below a button.
func (w *window) popUp(below fyne.CanvasObject, items []*fyne.MenuItem) {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(below)
	w.popUpAt(at.AddXY(0, below.Size().Height), items)
}

func (w *window) popUpAt(at fyne.Position, items []*fyne.MenuItem) {
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), w.win.Canvas(), at)
}

// curl is a command that repeats a request.
func (in *inspector) curl(x *event.Exchange, side capture.Side, shell export.Shell) (string, error) {
	u := in.w.u
	return presenter.Curl(u.core.Captures(), x, side, u.status.Addr, shell)
}

// copied copies a text and says so.
func (in *inspector) copied(text, said string) {
	in.w.u.app.Clipboard().SetContent(text)
	in.w.toast.plain(said)
}

// copy copies a request as a command, or what is known about it where there can be no command.
func (in *inspector) copy(x *event.Exchange, data presenter.Detail) {
	text, err := in.curl(x, capture.ClientRequest, export.Bash)
	if err != nil {
		in.copied(data.Text(), words.F("Copied the summary. {{.Why}}", words.V{"Why": err.Error()}))
		return
	}
	in.copied(text, words.T("Copied as cURL."))
}

// replay sends a request again and selects its row as soon as there is one.
func (in *inspector) replay(r presenter.Replay) {
	u := in.w.u
	in.w.requests.awaited = r.ID
	u.run(replayLimit, func(ctx context.Context) error { return u.core.Replay(ctx, r) }, func(err error) {
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		in.w.requests.awaited = ""
		in.w.tell(presenter.ReplayFailure(err))
	})
}

// edit asks what to send instead.
func (in *inspector) edit() {
	draft, ok := presenter.NewDraft(in.w.u.core.Captures(), &in.record)
	if !ok {
		in.w.tell(draft.Note)
		return
	}
	model, body := in.draftFields(draft)
	rows := stack(gap, newLine(words.T("Model"), faceMuted), model)
	var form fyne.CanvasObject = rows
	label := newLine(words.T("Body"), faceMuted)
	if draft.Body != "" {
		head := stack(gap, rows, label)
		form = container.New(layout.NewBorderLayout(head, nil, nil, nil), head, body) // in the order in which Tab goes
	} else {
		rows.Add(newParagraph(draft.Note).note())
	}
	room := in.w.win.Canvas().Size()
	width, height := min(room.Width*0.8, 860), room.Height*0.8
	if draft.Body == "" {
		width, height = boxWidth, 0
	}
	q := in.w.ask(words.T("Edit and send again"), words.T("Send"), form, width, height, func() { in.replay(draft.Replay(model.Text, body.Text)) })
	leave := func() {
		if !draft.Edited(body.Text) {
			q.box.hide()
			return
		}
		in.w.askLoss(words.T("Discard your edits?"), words.T("Discard edits"), words.T("You edited the body of the request, but did not send it."), q.box.hide)
	}
	q.box.cancel, q.cancel.OnTapped = leave, leave
	model.OnSubmitted = func(string) {
		if !q.save.Disabled() {
			q.save.OnTapped()
		}
	}
	check := func() {
		text, color := words.T("Body"), faceMuted.color
		q.save.Enable()
		if fault := presenter.BodyFault(body.Text); fault != "" && draft.Body != "" {
			text, color = fault, theme.ColorNameError
			q.save.Disable()
		}
		label.setColored(text, color)
	}
	follow := body.OnChanged
	body.OnChanged = func(s string) {
		follow(s)
		check()
	}
	check()
	in.w.win.Canvas().Focus(model)
}

// typingPause is how long nothing is typed before something else follows it.
const typingPause = 300 * time.Millisecond

// draftFields are the fields of a draft. The model of one follows that of the other: at once
// in the small field, and after a pause in the large one, which takes its time.
func (in *inspector) draftFields(draft presenter.Draft) (model, body *entry) {
	model, body = newEntry(in.w), newEntry(in.w)
	model.SetText(draft.Model)
	body.MultiLine, body.Wrapping = true, fyne.TextWrapBreak
	body.TextStyle.Monospace = true
	body.SetText(draft.Body)
	typed := 0 // so that only the last change is followed
	model.OnChanged = func(s string) {
		typed++
		mine := typed
		in.w.u.after(typingPause, func() {
			if mine == typed {
				setText(body, presenter.WithModel(body.Text, s))
			}
		})
	}
	named, _ := presenter.BodyModel(draft.Body)
	body.OnChanged = func(s string) {
		m, ok := presenter.BodyModel(s)
		if !ok || m == named { // another part was edited, and what the small field says is still to follow
			return
		}
		named = m
		setText(model, m)
	}
	return model, body
}

// save asks for a file and writes exchanges to it.
func (w *window) save(form presenter.FileForm, list []event.Exchange) {
	d := dialog.NewFileSave(func(f fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			w.tell(presenter.Tell(err))
		case f != nil:
			w.write(f, form, list)
		}
	}, w.win)
	d.SetFileName(presenter.FileName(form))
	w.showFiles(d, words.T("Save requests"))
}

func (w *window) write(f fyne.URIWriteCloser, form presenter.FileForm, list []event.Exchange) {
	u := w.u
	addr := u.status.Addr
	omitted := 0
	u.run(fileLimit, func(context.Context) error {
		keepPrivate(f.URI())
		omitted = presenter.Omitted(form, list, u.core.Captures())
		return errors.Join(presenter.Save(f, form, list, u.core.Captures(), addr, u.core.Version()), f.Close())
	}, func(err error) {
		if err != nil {
			w.tell(presenter.Tell(err))
			return
		}
		said := words.F("Saved {{.File}}.", words.V{"File": fileName(f.URI())})
		if omitted > 0 {
			said = words.F("Saved {{.File}}. Not in it: {{.Count}} of {{.All}} requests, whose content is not kept.",
				words.V{"File": fileName(f.URI()), "Count": omitted, "All": len(list)})
		}
		w.toast.saved(said, f.URI())
	})
}

// saveAll offers to save all rows that are shown.
func (r *requests) saveAll() {
	list := r.w.u.log.All()
	r.w.popUp(r.saves, []*fyne.MenuItem{
		fyne.NewMenuItem(words.T("Save as JSON lines…"), func() { r.w.save(presenter.JSONL, list) }),
		fyne.NewMenuItem(words.T("Save as HAR…"), func() { r.w.save(presenter.HAR, list) }),
	})
}

// saveIcon is the picture of saving.
func saveIcon() fyne.Resource { return theme.DocumentSaveIcon() }
