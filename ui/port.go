package ui

import (
	"context"

	"apex-ai-proxy/ui/presenter"
)

// portOffer is the address that the proxy could listen on instead of one that is taken.
type portOffer struct {
	port   *presenter.PortError // nil while the proxy has its port
	addr   string               // "" while it is not known
	dialog *question            // nil while nothing is asked
}

func (p *portOffer) text() presenter.PortOffer { return p.port.Offer(p.addr) }

// offerPort looks for another port when the proxy's own is taken, once for each failure.
// An address that the settings file does not decide about is left alone, and so is a file
// that cannot be read: saving the port would put the defaults in its place.
func (u *UI) offerPort() {
	port := presenter.TakenPort(u.status)
	if port != nil && port.Source != "" || u.core.Unreadable() {
		port = nil
	}
	if port == nil {
		if u.offer.dialog != nil {
			u.offer.dialog.box.hide()
		}
		u.offer = portOffer{}
		return
	}
	if u.offer.port != nil && u.offer.port.Addr == port.Addr {
		return
	}
	u.offer = portOffer{port: port}
	var addr string
	u.run(saveLimit, func(ctx context.Context) (err error) {
		addr, err = u.core.NextAddress(ctx, port.Addr)
		return err
	}, func(err error) {
		if err != nil || u.offer.port != port {
			return
		}
		u.offer.addr = addr
		u.refresh()
		u.askPort()
	})
}

// askPort asks, once, whether to take the other port. It waits for a window to ask in.
func (u *UI) askPort() {
	if u.offer.addr == "" || u.offer.dialog != nil || !u.seen() || u.quitting {
		return
	}
	text := u.offer.text()
	u.offer.dialog = u.window.ask(text.Title, text.Button, newParagraph(text.Text), boxWidth, 0, u.usePort)
}

// usePort makes the other port the proxy's own, which starts it.
func (u *UI) usePort() {
	if u.core.Unreadable() { // since it was offered
		u.offerPort()
		return
	}
	s := u.core.Settings()
	s.Server.Listen = u.offer.addr
	u.run(saveLimit, func(ctx context.Context) error { return u.core.SaveSettings(ctx, s) }, u.saved)
}
