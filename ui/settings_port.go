package ui

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// freePort offers, below the field of the address, a port that is free in place of one that
// could not be had.
type freePort struct {
	p       *settingsPage
	taken   string // the address that could not be had
	addr    string // "" for no offer
	button  *widget.Button
	content *fyne.Container
}

// address is the field of the address that is listened on.
func (p *settingsPage) address(label, hint string) fyne.CanvasObject {
	content := p.text(presenter.FieldListen, label, hint)
	o := &freePort{p: p}
	o.button = widget.NewButton("", o.use)
	o.content = padded(0, gap, 0, 0, container.NewHBox(o.button))
	o.content.Hide()
	p.fields[len(p.fields)-1].below.Add(o.content)
	p.free = o
	return content
}

// look looks for another port when err is about one that is taken.
func (o *freePort) look(err error) {
	var port *presenter.PortError
	if !errors.As(err, &port) {
		return
	}
	core := o.p.w.u.core
	var addr string
	o.p.w.u.run(saveLimit, func(ctx context.Context) (err error) {
		addr, err = core.NextAddress(ctx, port.Addr)
		return err
	}, func(err error) {
		if err == nil && o.p.form.Text(presenter.FieldListen) == port.Addr {
			o.offer(port, addr)
		}
	})
}

func (o *freePort) offer(port *presenter.PortError, addr string) {
	o.taken, o.addr = port.Addr, addr
	o.button.SetText(port.Offer(addr).Button)
	o.refresh()
}

// refresh shows the offer for as long as the field says that its address cannot be had.
func (o *freePort) refresh() {
	form := o.p.form
	if form.Text(presenter.FieldListen) != o.taken || form.Problem(presenter.FieldListen) == "" {
		o.addr = ""
	}
	if on := o.addr != ""; on != o.content.Visible() {
		show(o.content, on)
		o.p.content.Refresh()
	}
}

// use takes the port that is offered, and saves it.
func (o *freePort) use() {
	o.p.form.SetText(presenter.FieldListen, o.addr)
	o.p.changed()
	o.p.keep()
}
