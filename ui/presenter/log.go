package presenter

import (
	"slices"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// DefaultKeep is how many exchanges a Log remembers.
const DefaultKeep = 10_000

// Log is the list of exchanges, oldest first, with the selected one. It remembers a
// bounded number; when that is exceeded a tenth is dropped at once, so that the
// list does not move with each new row: the oldest, but refused ones before others when there
// are many. A filter leaves rows out, and a pause keeps the
// list as it is while the log itself goes on. It is not safe for concurrent use.
type Log struct {
	keep     int
	rows     []event.Exchange
	at       map[string]int // id -> index in rows
	cleared  []share        // of the last hour, at most keep
	selected string
	last     string // selected last

	clients, providers []string // that there are, in the order of the alphabet

	filter Filter
	hits   []bool           // for each row, whether the filter lets it through, while it is active
	shown  []int            // indices in rows of those that it does
	frozen []event.Exchange // what is shown during a pause
	paused bool
	before int // exchanges that there were when the pause began

	emptied bool // the user has cleared it, and nothing came since
}

// NewLog returns a log that remembers keep exchanges, at least 10.
func NewLog(keep int) *Log {
	return &Log{keep: max(keep, 10), at: map[string]int{}}
}

// Apply takes over newer states of exchanges. A state that is older than the known one is
// ignored, so a batch may be applied twice. It tells which of the rows that were shown
// went, in order.
func (l *Log) Apply(batch []event.Exchange) (gone []int) {
	sorted := true
	for _, x := range batch {
		if i, ok := l.at[x.ID]; ok {
			if l.rows[i].Revision < x.Revision {
				l.rows[i] = x
				l.name(&x)
				l.hit(i)
			}
			continue
		}
		if l.dropped(x) {
			continue
		}
		if n := len(l.rows); n > 0 && x.Start.Before(l.rows[n-1].Start) {
			sorted = false
		}
		l.emptied = false
		l.at[x.ID] = len(l.rows)
		l.rows = append(l.rows, x)
		l.name(&x)
		l.hit(len(l.rows) - 1)
	}
	if !sorted {
		slices.SortStableFunc(l.rows, func(a, b event.Exchange) int { return a.Start.Compare(b.Start) })
		l.index()
		l.choose()
	}
	l.collect()
	if len(l.rows) > l.keep {
		gone = l.drop(len(l.rows) - l.keep + l.keep/10)
	}
	return gone
}

// drop forgets n exchanges and tells which of those that were shown went.
func (l *Log) drop(n int) (gone []int) {
	goes := l.leaving(n)
	if !l.paused {
		for i := range l.Len() {
			if goes[l.at[l.exchange(i).ID]] {
				gone = append(gone, i)
			}
		}
	}
	left := l.rows[:0]
	for i := range l.rows {
		if !goes[i] {
			left = append(left, l.rows[i])
		}
	}
	clear(l.rows[len(left):])
	l.rows = left
	l.before -= n
	l.rename()
	l.index()
	l.choose()
	return gone
}

// leaving tells of each row whether it is one of the n that go: first the oldest of those that
// were refused, of which at least a tenth may stay, then the oldest of all. So a client with a
// wrong key, which asks again and again, does not push out the others.
func (l *Log) leaving(n int) []bool {
	goes, many := make([]bool, len(l.rows)), -l.keep/10
	for i := range l.rows {
		if l.rows[i].Refused {
			many++
		}
	}
	for i := range l.rows {
		if n > 0 && many > 0 && l.rows[i].Refused {
			goes[i] = true
			many--
			n--
		}
	}
	for i := range goes {
		if n > 0 && !goes[i] {
			goes[i] = true
			n--
		}
	}
	return goes
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

// choose applies the filter to all rows.
func (l *Log) choose() {
	l.hits = l.hits[:0]
	for i := range l.rows {
		l.hit(i)
	}
	l.collect()
}

// hit applies the filter to a row that is new, at the end, or has changed.
func (l *Log) hit(i int) {
	if !l.filter.Active() {
		return
	}
	if i == len(l.hits) {
		l.hits = append(l.hits, false)
	}
	l.hits[i] = l.filter.matches(&l.rows[i])
}

// collect makes the list of the rows that the filter lets through.
func (l *Log) collect() {
	l.shown = l.shown[:0]
	if !l.filter.Active() {
		return
	}
	for i, hit := range l.hits {
		if hit {
			l.shown = append(l.shown, i)
		}
	}
}

// SetFilter leaves out what f does not choose, also during a pause.
func (l *Log) SetFilter(f Filter) {
	l.filter = f
	l.choose()
	if l.paused {
		l.freeze()
	}
}

// Filter is the filter in force.
func (l *Log) Filter() Filter { return l.filter }

// Pause keeps the list as it is, or lets it go on.
func (l *Log) Pause(on bool) {
	l.paused = on
	l.frozen = nil
	if on {
		l.freeze()
	}
}

// Paused tells whether the list is kept as it is.
func (l *Log) Paused() bool { return l.paused }

func (l *Log) freeze() {
	l.paused = false
	frozen := make([]event.Exchange, l.Len())
	for i := range frozen {
		frozen[i] = *l.exchange(i)
	}
	l.frozen, l.paused, l.before = frozen, true, len(l.rows)
}

// exchange is the exchange of a row that is shown.
func (l *Log) exchange(i int) *event.Exchange {
	switch {
	case l.paused:
		return &l.frozen[i]
	case l.filter.Active():
		return &l.rows[l.shown[i]]
	default:
		return &l.rows[i]
	}
}

// Len is the number of rows that are shown.
func (l *Log) Len() int {
	switch {
	case l.paused:
		return len(l.frozen)
	case l.filter.Active():
		return len(l.shown)
	default:
		return len(l.rows)
	}
}

// Vacancy is why no row is shown.
type Vacancy uint8

// The reasons.
const (
	Occupied  Vacancy = iota // rows are shown
	Untouched                // there was no request yet
	Cleared                  // the user has cleared the list
	Halted                   // the list is paused since it had no rows
	Unmatched                // the filter leaves all out
)

// Vacancy tells why no row is shown, if none is.
func (l *Log) Vacancy() Vacancy {
	switch {
	case l.Len() > 0:
		return Occupied
	case l.paused && !l.filter.Active():
		return Halted
	case len(l.rows) > 0:
		return Unmatched
	case l.emptied:
		return Cleared
	default:
		return Untouched
	}
}

// Total is the number of exchanges, shown or not.
func (l *Log) Total() int { return len(l.rows) }

// Row is the text of a row. While an exchange runs, its duration counts up to now.
func (l *Log) Row(i int, now time.Time) Row { return rowOf(l.exchange(i), now) }

// At is the record of a row with what is known about it.
func (l *Log) At(i int, now time.Time) (event.Exchange, Detail) {
	x := l.exchange(i)
	return *x, detailOf(x, now)
}

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
	if l.filter.Active() {
		s = words.F("{{.Shown}} of {{.Count}}", words.V{"Shown": count(int64(len(l.shown))), "Count": s})
	}
	if n := l.Running(); n > 0 {
		s = words.F("{{.Requests}}, {{.Count}} running", words.V{"Requests": s, "Count": count(int64(n))})
	}
	if n := len(l.rows) - l.before; l.paused && n > 0 {
		s = words.F("{{.Requests}}, {{.Count}} new since the pause", words.V{"Requests": s, "Count": count(int64(n))})
	}
	return s
}

// Clients are the clients that exchanges came from, in the order of the alphabet.
func (l *Log) Clients() []string { return l.clients }

// Providers are the providers that exchanges went to, in the order of the alphabet.
func (l *Log) Providers() []string { return l.providers }

// name notes the client and the provider of an exchange.
func (l *Log) name(x *event.Exchange) {
	l.clients, l.providers = with(l.clients, x.Client), with(l.providers, x.Provider)
}

// rename notes the clients and providers of all exchanges anew.
func (l *Log) rename() {
	l.clients, l.providers = nil, nil
	for i := range l.rows {
		l.name(&l.rows[i])
	}
}

// with is a sorted list with a name in it. The list itself is not written to.
func with(list []string, name string) []string {
	i, ok := slices.BinarySearch(list, name)
	if ok || name == "" {
		return list
	}
	return slices.Insert(slices.Clip(list), i, name)
}

// Select selects a row; an index that does not exist selects nothing. The selection stays
// with the exchange, whatever happens to the rows around it.
func (l *Log) Select(i int) {
	l.selected = ""
	if i >= 0 && i < l.Len() {
		l.selected = l.exchange(i).ID
		l.last = l.selected
	}
}

// Selected is the index of the selected row, -1 when it is not shown.
func (l *Log) Selected() int { return l.place(l.selected) }

// Last is the index of the row that was selected last, also when it is not any more, -1 when it
// is not shown.
func (l *Log) Last() int { return l.place(l.last) }

// place is the index of the row of an exchange, -1 when it is not shown.
func (l *Log) place(id string) int {
	i, ok := l.at[id]
	if !ok {
		return -1
	}
	switch {
	case l.paused:
		return slices.IndexFunc(l.frozen, func(x event.Exchange) bool { return x.ID == id })
	case l.filter.Active():
		if at, ok := slices.BinarySearch(l.shown, i); ok {
			return at
		}
		return -1
	default:
		return i
	}
}

// Exchange is the record of the selected exchange, also when its row is not shown.
func (l *Log) Exchange() (event.Exchange, bool) {
	i, ok := l.at[l.selected]
	if !ok {
		return event.Exchange{}, false
	}
	return l.rows[i], true
}

// Detail is what is known about the selected exchange.
func (l *Log) Detail(now time.Time) (Detail, bool) {
	x, ok := l.Exchange()
	if !ok {
		return Detail{}, false
	}
	return detailOf(&x, now), true
}

// SelectReplay selects the newest exchange that repeats another one, if it is shown.
func (l *Log) SelectReplay(of string) bool {
	for i := l.Len() - 1; i >= 0; i-- {
		if l.exchange(i).ReplayOf == of {
			l.Select(i)
			return true
		}
	}
	return false
}

// SelectID selects the exchange with an id, if it is known, and shows it in any case: a
// filter that leaves it out is taken away.
func (l *Log) SelectID(id string) bool {
	if _, ok := l.at[id]; !ok {
		return false
	}
	l.selected, l.last = id, id
	if l.Selected() < 0 {
		l.Pause(false)
		if l.Selected() < 0 {
			l.SetFilter(Filter{})
		}
	}
	return true
}

// All are the records that are shown.
func (l *Log) All() []event.Exchange {
	out := make([]event.Exchange, l.Len())
	for i := range out {
		out[i] = *l.exchange(i)
	}
	return out
}

// Clear forgets the exchanges that have ended, but for what they add to the figures of the last
// hour.
func (l *Log) Clear(now time.Time) {
	l.emptied = l.emptied || len(l.rows) > 0
	l.cleared = slices.DeleteFunc(l.cleared, func(s share) bool { return s.start.Before(hourBefore(now)) })
	l.rows = slices.DeleteFunc(l.rows, func(x event.Exchange) bool {
		if !x.Phase.Final() {
			return false
		}
		if s, counts := shareOf(&x); counts {
			l.cleared = append(l.cleared, s)
		}
		return true
	})
	l.cleared = slices.Delete(l.cleared, 0, max(0, len(l.cleared)-l.keep))
	l.rename()
	l.index()
	l.choose()
	if l.paused {
		l.freeze()
	}
}
