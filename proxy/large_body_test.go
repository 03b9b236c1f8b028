package proxy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// piecemeal sends a body in pieces of random sizes, and says how long it is only when told to.
func piecemeal(body []byte, seed uint64, length bool) edit {
	return func(r *http.Request) {
		random := rand.New(rand.NewPCG(seed, 0))
		from, to := io.Pipe()
		go func() {
			for left := body; len(left) > 0; {
				n := min(len(left), 1+random.IntN(200<<10))
				if _, err := to.Write(left[:n]); err != nil {
					return
				}
				left = left[n:]
			}
			_ = to.Close()
		}()
		r.Body, r.GetBody, r.ContentLength = from, nil, -1
		if length {
			r.ContentLength = int64(len(body))
		}
	}
}

// TestLargeBodiesInPieces: however a large body comes, and whatever came into the same buffer
// before, only the model's name changes on its way, and what has a wrong structure is refused.
func TestLargeBodiesInPieces(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	random := rand.New(rand.NewPCG(1, 2))
	image := func() string {
		return `"` + strings.Repeat("iVBOR/0KGgo", random.IntN(60_000)) + strings.Repeat(`\\\"\/`, random.IntN(2)) + `"`
	}
	words := strings.Repeat(`"some \"words\"",`, 10_000)
	for i := range 40 {
		var list strings.Builder
		for range random.IntN(4) {
			list.WriteString(image() + ",")
			if random.IntN(2) == 0 {
				list.WriteString(words)
			}
		}
		list.WriteString(image())
		wrong := []string{"", "", "", `"`, "]", `,"x" "y"`}[random.IntN(6)]
		text := `{"messages":[` + list.String() + wrong + `],"model":"gpt-4o#openai","user":` + image() + `}`
		sent, edits := []byte(text), []edit(nil)
		switch random.IntN(4) {
		case 0:
			sent = append([]byte("\xEF\xBB\xBF"), sent...)
		case 1:
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(sent)
			_ = z.Close()
			sent, edits = b.Bytes(), append(edits, withHeader("Content-Encoding", "gzip"))
		}
		before := u.count()
		got := f.post("/v1/chat/completions", "", append(edits, piecemeal(sent, random.Uint64(), random.IntN(2) == 0))...)
		if wrong != "" {
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, "invalid JSON") || u.count() != before {
				t.Fatalf("%d: a body with %s behind its messages: %d %s", i, wrong, got.status, got.body)
			}
			continue
		}
		if got.status != http.StatusOK {
			t.Fatalf("%d: %d %s", i, got.status, got.body)
		}
		if want := strings.Replace(text, "gpt-4o#openai", "gpt-4o", 1); u.last(t).body != want {
			t.Fatalf("%d: %d bytes reached the upstream that are not the client's %d", i, len(u.last(t).body), len(want))
		}
	}
}
