package app

import "sync"

// news delivers statuses to watchers, in order, from one goroutine that waits for none
// of those who publish.
type news struct {
	mu       sync.Mutex
	wake     *sync.Cond
	watchers map[*watcher]struct{}
	queue    []delivery
	closing  bool
	ended    chan struct{}
}

type watcher struct {
	f func(Status)
}

type delivery struct {
	status Status
	to     []*watcher
}

func newNews() *news {
	n := &news{watchers: make(map[*watcher]struct{}), ended: make(chan struct{})}
	n.wake = sync.NewCond(&n.mu)
	go n.deliver()
	return n
}

// subscribe hands f the status now and every later one. After stop has returned no call
// of f begins.
func (n *news) subscribe(f func(Status), now Status) (stop func()) {
	w := &watcher{f: f}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watchers[w] = struct{}{}
	n.queue = append(n.queue, delivery{now, []*watcher{w}})
	n.wake.Signal()
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watchers, w)
	}
}

func (n *news) publish(s Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := make([]*watcher, 0, len(n.watchers))
	for w := range n.watchers {
		to = append(to, w)
	}
	n.queue = append(n.queue, delivery{s, to})
	n.wake.Signal()
}

func (n *news) deliver() {
	defer close(n.ended)
	for {
		d, ok := n.next()
		if !ok {
			return
		}
		for _, w := range d.to {
			if n.watches(w) {
				w.f(d.status)
			}
		}
	}
}

func (n *news) next() (delivery, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.queue) == 0 {
		if n.closing {
			return delivery{}, false
		}
		n.wake.Wait()
	}
	d := n.queue[0]
	n.queue = n.queue[1:]
	return d, true
}

func (n *news) watches(w *watcher) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.watchers[w]
	return ok
}

// close delivers what is queued and ends the goroutine.
func (n *news) close() {
	n.mu.Lock()
	n.closing = true
	n.wake.Signal()
	n.mu.Unlock()
	<-n.ended
}
