package ir

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"apex-ai-proxy/proxy/rawjson"
)

// conversation is one of any order, with few ids, so that some meet.
func conversation(r *rand.Rand) []Turn {
	id := func() string { return []string{"a", "b", "c", "d", "a_2", ""}[r.IntN(6)] }
	turns := make([]Turn, r.IntN(8))
	var open []string
	for i := range turns {
		t := &turns[i]
		t.At, t.Role, t.Plain = At("messages", i), Role(r.IntN(3)), r.IntN(4) == 0
		if i > 0 && turns[i-1].Role == RoleAssistant && r.IntN(4) > 0 {
			t.Role = RoleUser
		}
		if t.Role == RoleUser && r.IntN(4) > 0 { // as most are
			for j, call := range open {
				t.Parts = append(t.Parts, Part{Kind: ToolResult, Reply: Result{CallID: call}, At: t.At.In("content", j)})
			}
		}
		if t.Role != RoleSystem {
			open = nil
		}
		for j := range r.IntN(4) {
			p := Part{At: t.At.In("content", j+9), Text: rawjson.Escaped(fmt.Sprint(i, j))}
			switch {
			case t.Role == RoleAssistant && r.IntN(2) == 0:
				p.Kind, p.Call.ID = ToolCall, id()
				if r.IntN(3) > 0 {
					p.Call.ID = fmt.Sprint("call_", i, "_", j)
				}
				open = append(open, p.Call.ID)
			case t.Role == RoleUser && r.IntN(6) == 0:
				p.Kind, p.Reply.CallID = ToolResult, id()
			}
			t.Parts = append(t.Parts, p)
		}
	}
	return turns
}

// TestOrdered: a group that is emitted as it is comes out as it would if it were put into order.
func TestOrdered(t *testing.T) {
	some := false
	for seed := range uint64(20000) {
		turns := conversation(rand.New(rand.NewPCG(seed, 0)))
		for i := range turns {
			if turns[i].Role != RoleAssistant || !hasCalls(&turns[i]) {
				continue
			}
			end := i + 1
			for end < len(turns) && turns[end].Role != RoleAssistant {
				end++
			}
			fresh := func() *repairer {
				r := &repairer{turns: turns, used: map[string]bool{"b": true, "x": true}, placed: map[string]place{}}
				r.out = append(r.out, Turn{})
				return r
			}
			got, want, untouched := fresh(), fresh(), fresh()
			if !got.ordered(turns[i], turns[i+1:end]) {
				if !reflect.DeepEqual(got, untouched) {
					t.Fatalf("seed %d: left behind: %+v", seed, got)
				}
				continue
			}
			some = true
			want.order(turns[i], turns[i+1:end])
			if !reflect.DeepEqual(got.out, want.out) || !reflect.DeepEqual(got.losses, want.losses) || !maps.Equal(got.used, want.used) || !maps.Equal(got.placed, want.placed) {
				t.Fatalf("seed %d, turn %d:\n%+v\nwant\n%+v", seed, i, got, want)
			}
		}
	}
	if !some {
		t.Error("no group was in order")
	}
}

// TestRepairLeavesTheRequest: what is put into order is not what the client sent.
func TestRepairLeavesTheRequest(t *testing.T) {
	for seed := range uint64(20000) {
		turns := conversation(rand.New(rand.NewPCG(seed, 0)))
		same := conversation(rand.New(rand.NewPCG(seed, 0)))
		_, _, _ = Repair(&Request{Turns: turns})
		if !reflect.DeepEqual(turns, same) {
			t.Fatalf("seed %d:\n%+v\nwas\n%+v", seed, turns, same)
		}
	}
}
