package event

// ring keeps the latest state of the last exchanges.
type ring struct {
	list []Exchange     // in order of start, oldest at head once full
	head int            // index of the oldest record
	at   map[string]int // id -> index in list
}

func newRing(keep int) ring {
	return ring{list: make([]Exchange, 0, keep), at: make(map[string]int, keep)}
}

func (r *ring) keep(x Exchange) {
	if i, ok := r.at[x.ID]; ok {
		if r.list[i].Revision < x.Revision {
			r.list[i] = x
		}
		return
	}
	if x.Revision > 1 {
		return // it has left the ring already
	}
	if len(r.list) < cap(r.list) {
		r.at[x.ID] = len(r.list)
		r.list = append(r.list, x)
		return
	}
	delete(r.at, r.list[r.head].ID)
	r.list[r.head] = x
	r.at[x.ID] = r.head
	r.head = (r.head + 1) % len(r.list)
}

// append appends the records, oldest first.
func (r *ring) append(out []Exchange) []Exchange {
	return append(append(out, r.list[r.head:]...), r.list[:r.head]...)
}

// clear forgets every exchange that has ended.
func (r *ring) clear() {
	kept := make([]Exchange, 0, cap(r.list))
	for i := range r.list {
		if x := r.list[(r.head+i)%len(r.list)]; !x.Phase.Final() {
			kept = append(kept, x)
		}
	}
	r.list, r.head = kept, 0
	clear(r.at)
	for i := range kept {
		r.at[kept[i].ID] = i
	}
}
