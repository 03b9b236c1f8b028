package ui

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

// BenchmarkRequests applies a batch of a tenth of a second at 200 updates a second to a
// list of ten thousand requests, and refreshes the page.
func BenchmarkRequests(b *testing.B) {
	for name, filter := range map[string]presenter.Filter{"all": {}, "filtered": {Text: "claude done"}} {
		b.Run(name, func(b *testing.B) {
			u := New(test.NewTempApp(b), readyCore(), Options{Name: "bench", Do: func(f func()) { f() }, After: func(time.Duration, func()) {}, Quit: func() {}})
			defer u.Close()
			u.tray = newTray(u)
			u.show()
			defer u.window.win.Close()
			u.window.win.Resize(size(windowWidth, windowHeight))
			start := time.Now().Add(-time.Hour)
			row := func(n int) event.Exchange {
				x := workday()[1+n%11]
				x.ID, x.Start = fmt.Sprintf("req_%d", n), start.Add(time.Duration(n)*time.Millisecond)
				return x
			}
			for n := range presenter.DefaultKeep - 1000 {
				u.log.Apply([]event.Exchange{row(n)})
			}
			u.log.SetFilter(filter)
			u.window.open(pageRequests)
			batch := make([]event.Exchange, 20)
			for i := range batch {
				batch[i] = row(presenter.DefaultKeep - 1000 + i)
			}
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch {
					batch[i].Revision++
					batch[i].BytesOut += 100
				}
				u.deliver(batch, func() {})
			}
		})
	}
}
