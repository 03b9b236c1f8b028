// Package thoughts remembers what models thought before they called a tool.
//
// Models go on from their own thinking when the result of a tool comes back, but clients
// of Chat Completions have no place to keep it, and most drop it. No client but Google's
// own keeps the proofs that Google's models put beside their calls. So both are kept here,
// in memory, for the client they were said to, by the id of the first call of the turn,
// and put back into the conversation where they are missing. Nothing depends on it:
// without it the model thinks anew.
package thoughts

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"apex-ai-proxy/proxy/convert/ir"
)

// Bounds of a Cache.
const (
	maxBytes   = 32 << 20
	maxEntries = 5000
	maxEntry   = maxBytes / 8 // bytes of one turn
	lifetime   = 2 * time.Hour
)

// Client is a hash of the credentials of the client that was answered.
type Client [32]byte

// Turn is what was thought in one turn of the model, in order.
type Turn []Thought

// Thought is a block of thinking and its place among what else was said: behind so many
// calls, and behind the text or in front of it.
type Thought struct {
	Part   ir.Part // signed thinking, redacted thinking, or a call that has a proof
	Calls  int
	Behind bool
}

type key struct {
	client Client
	call   string
}

type entry struct {
	key  key
	turn Turn
	size int
	used time.Time
}

// Cache keeps the turns used last. It may be used by several goroutines.
type Cache struct {
	now func() time.Time

	mu    sync.Mutex
	turns map[key]*list.Element
	order list.List // of *entry, the last used in front
	bytes int
}

// New returns an empty cache that reads the time from now.
func New(now func() time.Time) *Cache {
	return &Cache{now: now, turns: make(map[key]*list.Element)}
}

// Keep remembers a turn by the id of its first call. A turn that is too large is not kept.
func (c *Cache) Keep(client Client, call string, turn Turn) {
	size := sizeOf(turn) + len(call)
	if call == "" || len(turn) == 0 || size > maxEntry {
		return
	}
	k := key{client, call}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.turns[k]; ok {
		c.remove(e)
	}
	c.turns[k] = c.order.PushFront(&entry{key: k, turn: turn, size: size, used: c.now()})
	c.bytes += size
	c.trim()
}

// Recall is the turn that began with the call, nil when it is not known. It must not be
// written to.
func (c *Cache) Recall(client Client, call string) Turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trim()
	e, ok := c.turns[key{client, call}]
	if !ok {
		return nil
	}
	e.Value.(*entry).used = c.now()
	c.order.MoveToFront(e)
	return e.Value.(*entry).turn
}

// Clear forgets everything.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.turns)
	c.order.Init()
	c.bytes = 0
}

// trim forgets what is too old or too much, the longest unused first.
func (c *Cache) trim() {
	now := c.now()
	for e := c.order.Back(); e != nil; e = c.order.Back() {
		if c.bytes <= maxBytes && c.order.Len() <= maxEntries && now.Sub(e.Value.(*entry).used) < lifetime {
			return
		}
		c.remove(e)
	}
}

func (c *Cache) remove(e *list.Element) {
	old := c.order.Remove(e).(*entry)
	delete(c.turns, old.key)
	c.bytes -= old.size
}

// overhead is about what a block costs besides its text, in bytes.
const overhead = 512

func sizeOf(t Turn) int {
	n := overhead
	for i := range t {
		n += overhead + len(t[i].Part.Text) + len(t[i].Part.Signature) + len(t[i].Part.Call.Proof)
	}
	return n
}

// Restore puts back into the turns of a conversation that call tools what they lack: the
// thinking, where they hold none that is signed, and the proofs of calls. The turns are
// changed in place, their parts are not written to.
func (c *Cache) Restore(client Client, turns []ir.Turn) {
	for i := range turns {
		t := &turns[i]
		call := firstCall(t.Parts)
		if t.Role != ir.RoleAssistant || call == "" {
			continue
		}
		turn := c.Recall(client, ir.UnwrapID(call))
		if turn == nil {
			continue
		}
		t.Parts = slices.Clone(t.Parts)
		thoughts := prove(t.Parts, turn)
		if len(thoughts) > 0 && !slices.ContainsFunc(t.Parts, signed) {
			t.Parts = weave(t.Parts, thoughts)
		}
	}
}

// prove puts the proofs beside their calls and returns what else was thought.
func prove(parts []ir.Part, turn Turn) (thoughts Turn) {
	for _, t := range turn {
		if t.Part.Kind != ir.ToolCall {
			thoughts = append(thoughts, t)
			continue
		}
		calls := 0
		for i := range parts {
			if parts[i].Kind != ir.ToolCall {
				continue
			}
			if calls == t.Calls && parts[i].Call.Proof == nil {
				parts[i].Call.Proof = t.Part.Call.Proof
			}
			calls++
		}
	}
	return thoughts
}

func firstCall(parts []ir.Part) string {
	for i := range parts {
		if parts[i].Kind == ir.ToolCall {
			return parts[i].Call.ID
		}
	}
	return ""
}

func signed(p ir.Part) bool {
	return p.Kind == ir.RedactedThinking || p.Kind == ir.Thinking && len(p.Signature) > 0
}

// weave puts each thought back into its place. Unsigned thinking, which is the same told
// again, goes.
func weave(parts []ir.Part, turn Turn) []ir.Part {
	out := make([]ir.Part, 0, len(parts)+len(turn))
	calls, behind, next := 0, false, 0
	due := func() bool {
		t := &turn[next]
		return t.Calls < calls || t.Calls == calls && (!t.Behind || behind)
	}
	for _, p := range parts {
		if p.Kind == ir.Thinking {
			continue
		}
		for next < len(turn) && due() {
			out = append(out, turn[next].Part)
			next++
		}
		if p.Kind == ir.ToolCall {
			for ; next < len(turn) && turn[next].Calls <= calls; next++ { // the text is gone
				out = append(out, turn[next].Part)
			}
			calls++
		} else {
			behind = true
		}
		out = append(out, p)
	}
	for ; next < len(turn); next++ {
		out = append(out, turn[next].Part)
	}
	return out
}
