package presenter

import (
	"slices"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// DefaultKeep is how many exchanges a Log remembers.
const DefaultKeep = 5000

// Log is the list of exchanges, oldest first, with the selected one. It remembers a
// bounded number; when that is exceeded the oldest tenth is dropped at once, so that the
// list does not move with each new row. It is not safe for concurrent use.
type Log struct {
	keep     int
	rows     []event.Exchange
	at       map[string]int // id -> index in rows
	selected string
}

// NewLog returns a log that remembers keep exchanges, at least 10.
func NewLog(keep int) *Log {
	return &Log{keep: max(keep, 10), at: map[string]int{}}
}

// Apply takes over newer states of exchanges. A state that is older than the known one is
// ignored, so a batch may be applied twice. It tells how many of the oldest rows went.
func (l *Log) Apply(batch []event.Exchange) (gone int) {
	sorted := true
	for _, x := range batch {
		if i, ok := l.at[x.ID]; ok {
			if l.rows[i].Revision < x.Revision {
				l.rows[i] = x
			}
			continue
		}
		if l.dropped(x) {
			continue
		}
		if n := len(l.rows); n > 0 && x.Start.Before(l.rows[n-1].Start) {
			sorted = false
		}
		l.at[x.ID] = len(l.rows)
		l.rows = append(l.rows, x)
	}
	if !sorted {
		slices.SortStableFunc(l.rows, func(a, b event.Exchange) int { return a.Start.Compare(b.Start) })
		l.index()
	}
	if len(l.rows) > l.keep {
		gone = len(l.rows) - l.keep + l.keep/10
		l.rows = slices.Delete(l.rows, 0, gone)
		l.index()
	}
	return gone
}

// dropped tells whether an unknown exchange is one that has left the log already.
func (l *Log) dropped(x event.Exchange) bool {
	return x.Revision > 1 && len(l.rows) >= l.keep-l.keep/10 && x.Start.Before(l.rows[0].Start)
}

func (l *Log) index() {
	clear(l.at)
	for i := range l.rows {
		l.at[l.rows[i].ID] = i
	}
}

// Len is the number of rows.
func (l *Log) Len() int { return len(l.rows) }

// Row is the text of a row. While an exchange runs, its duration counts up to now.
func (l *Log) Row(i int, now time.Time) Row { return rowOf(&l.rows[i], now) }

// Running is the number of exchanges that have not ended.
func (l *Log) Running() int {
	n := 0
	for i := range l.rows {
		if !l.rows[i].Phase.Final() {
			n++
		}
	}
	return n
}

// Revision is the revision of the known state of an exchange, 0 when it is not known.
func (l *Log) Revision(id string) int {
	if i, ok := l.at[id]; ok {
		return l.rows[i].Revision
	}
	return 0
}

// Summary is the number of exchanges in words.
func (l *Log) Summary() string {
	s := words.T("1 request")
	if n := len(l.rows); n != 1 {
		s = words.F("{{.Count}} requests", words.V{"Count": count(int64(n))})
	}
	if n := l.Running(); n > 0 {
		s = words.F("{{.Requests}}, {{.Count}} running", words.V{"Requests": s, "Count": count(int64(n))})
	}
	return s
}

// Select selects a row; an index that does not exist selects nothing. The selection stays
// with the exchange, whatever happens to the rows around it.
func (l *Log) Select(i int) {
	l.selected = ""
	if i >= 0 && i < len(l.rows) {
		l.selected = l.rows[i].ID
	}
}

// Selected is the index of the selected row, -1 when there is none.
func (l *Log) Selected() int {
	if i, ok := l.at[l.selected]; ok && l.selected != "" {
		return i
	}
	return -1
}

// Detail is what is known about the selected exchange.
func (l *Log) Detail(now time.Time) (Detail, bool) {
	i := l.Selected()
	if i < 0 {
		return Detail{}, false
	}
	return detailOf(&l.rows[i], now), true
}

// Clear forgets the exchanges that have ended.
func (l *Log) Clear() {
	l.rows = slices.DeleteFunc(l.rows, func(x event.Exchange) bool { return x.Phase.Final() })
	l.index()
}
