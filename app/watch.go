package app

import (
	"context"
	"net"
	"strings"
	"time"

	"apex-ai-proxy/proxy"
)

const (
	lookEvery = 5 * time.Second
	// A look that is this much late means that the computer slept. A clock that was set
	// looks the same, and does no harm.
	sleptAfter = 10 * time.Second
	probeLimit = 2 * time.Second
)

// watch keeps the proxy as it should be while the world around it changes.
type watch struct {
	wall  func() time.Time // the time on the wall, which goes on while the computer sleeps
	addrs func() string    // the computer's own addresses
	alive func(ctx context.Context, addr string) bool
	woken <-chan struct{} // the system says that the computer slept; nil where it does not
	app   *App
}

// Attend watches over the proxy until ctx ends. When the computer has slept or changed
// its network, connections that are dead by now are dropped, a listener that does not
// answer is replaced, and changed is called. A listener that is lost is opened again as
// soon as that works, a keychain that could not be read is read as soon as it can be, and a
// settings file that was changed is taken up.
func (a *App) Attend(ctx context.Context, changed func()) {
	watch{wall: time.Now, addrs: addresses, alive: answers, woken: wakes(ctx), app: a}.run(ctx, changed)
}

func (w watch) run(ctx context.Context, changed func()) {
	lost := make(chan struct{}, 1)
	stop := w.app.Watch(func(s Status) {
		if s.State == Failed {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	seen, at := w.addrs(), w.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-lost:
			w.revive(ctx)
			continue
		case <-w.woken:
			w.recover(ctx)
			changed()
			seen, at = w.addrs(), w.now()
			continue
		case <-tick.C:
		}
		if addrs := w.addrs(); w.now().Sub(at) > lookEvery+sleptAfter || addrs != seen {
			seen = addrs
			w.recover(ctx)
			changed()
		}
		w.revive(ctx)
		if w.app.look(ctx) {
			changed()
		}
		at = w.now() // not before: what is done here may wait long, as for a proxy that drains
	}
}

// now is without the clock that stands still in sleep on most systems.
func (w watch) now() time.Time { return w.wall().Round(0) }

func (w watch) revive(ctx context.Context) {
	if err := w.app.sup.Revive(ctx); err != nil {
		w.app.log.Debug("the proxy cannot listen again yet", "error", err)
	}
}

func (w watch) recover(ctx context.Context) {
	a := w.app
	a.log.Info("the computer has slept, or its network has changed")
	a.sup.DropIdle()
	st := a.Status()
	if st.State != Running || w.alive(ctx, st.Addr) {
		return
	}
	a.log.Warn("the listener does not answer", "addr", st.Addr)
	if err := a.sup.Reopen(ctx, st.Addr); err != nil {
		a.log.Warn("the listener cannot be opened again yet", "error", err)
	}
}

// answers tells whether somebody accepts connections on addr.
func answers(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", reachable(addr))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// addresses are the computer's own, "" when the system does not tell.
func addresses() string {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.String()
	}
	return strings.Join(names, " ")
}

// NextAddress is where the proxy could listen when an address is taken: the same with the
// next port that is free.
func (a *App) NextAddress(ctx context.Context, taken string) (string, error) {
	return proxy.NextFree(ctx, taken)
}
