package capture_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"apex-ai-proxy/proxy/capture"
)

func limits(change func(*capture.Limits)) capture.Limits {
	l := capture.Limits{Exchanges: 3, PerBody: 10, Total: 1000}
	if change != nil {
		change(&l)
	}
	return l
}

// record makes a finished record with a body of n bytes.
func record(s *capture.Store, id string, n int, failed bool) {
	r := s.Open(id)
	r.Request(capture.ClientRequest, "POST", "/v1/messages", nil, bytes.Repeat([]byte("x"), n))
	r.End(failed)
}

func TestFourSides(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	r := s.Open("a")
	r.Request(capture.ClientRequest, "POST", "/v1/messages?beta=true", http.Header{"X-Api-Key": {"k1"}, "Accept": {"*/*"}}, []byte("12345678901234"))
	r.Request(capture.UpstreamRequest, "POST", "https://example.com/chat", http.Header{"Authorization": {"Bearer s3cret"}}, []byte("up"))
	r.Answer(capture.UpstreamAnswer, 200, http.Header{"Set-Cookie": {"id=1"}})
	r.Write(capture.UpstreamAnswer, []byte("data: "))
	before := s.Revision("a")
	r.Write(capture.UpstreamAnswer, []byte("1234567890"))
	if s.Revision("a") == before {
		t.Error("the revision did not change with the body")
	}
	r.Answer(capture.ClientAnswer, 200, nil)
	r.End(false)

	got, ok := s.Get("a")
	if !ok || !got.Done || got.Attempts != 1 {
		t.Fatalf("%t %+v", ok, got)
	}
	m := got.Messages
	for side, want := range []struct {
		body string
		size int64
	}{{"1234567890", 14}, {"up", 2}, {"data: 1234", 16}, {"", 0}} {
		if string(m[side].Body) != want.body || m[side].Size != want.size || !m[side].Seen {
			t.Errorf("side %d: %q of %d bytes", side, m[side].Body, m[side].Size)
		}
	}
	if !m[0].Cut() || m[1].Cut() {
		t.Error("the wrong bodies count as cut")
	}
	if h := m[0].Header; h.Get("X-Api-Key") != "••••••••" || h.Get("Accept") != "*/*" {
		t.Errorf("client headers %v", h)
	}
	if got := m[1].Header.Get("Authorization"); got != "Bearer ••••••••" {
		t.Errorf("authorization %q", got)
	}
	if strings.Contains(fmt.Sprint(m), "id=1") {
		t.Error("a cookie is kept")
	}
}

func TestSecretsAreHidden(t *testing.T) {
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 1000 }), func() []string { return []string{"", "abc", "hunter2hunter2"} })
	r := s.Open("a")
	r.Request(capture.ClientRequest, "POST", "/v1/models?api-key=hunter3&limit=4&k%65y=5", http.Header{
		"Cf-Aig-Authorization": {"Bearer x"}, "Api-Key": {"y"}, "X-Goog-Api-Key": {"z"}, "X-Auth-Token": {"t"},
		"Anthropic-Ratelimit-Tokens-Remaining": {"7"}, "X-Token-Count": {"estimate"},
	}, []byte(`{"text":"abc hunter2hunter2"}`))
	r.Answer(capture.UpstreamAnswer, 401, nil)
	r.Write(capture.UpstreamAnswer, []byte(`{"error":{"message":"Incorrect API key provided: sk-proj-abcdefghijklmnop1234"}}`))
	got, _ := s.Get("a")
	text := fmt.Sprint(got)
	m := got.Messages[0]
	if string(m.Body) != `{"text":"abc ••••••••"}` || m.Cut() {
		t.Errorf("body %s", m.Body)
	}
	if m.URL != "/v1/models?api-key=••••••••&limit=4&k%65y=••••••••" {
		t.Errorf("address %s", m.URL)
	}
	for name := range m.Header {
		shown := m.Header.Get(name)
		if keep := strings.Contains(name, "Ratelimit") || strings.Contains(name, "Count"); keep == strings.Contains(shown, "•") {
			t.Errorf("%s: %s", name, shown)
		}
	}
	if strings.Contains(string(got.Messages[2].Body), "abcdefghijklmnop1234") || strings.Contains(text, "hunter3") {
		t.Errorf("a key is seen: %s", text)
	}
	if _, body, ok := s.Original("a"); !ok || !strings.Contains(string(body), "hunter2hunter2") {
		t.Errorf("the original is %s", body)
	}
}

// TestHalfASecretIsHidden: the end of what is kept may be in the middle of a secret.
func TestHalfASecretIsHidden(t *testing.T) {
	const secret = "hunter2hunter2"
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 20 }), func() []string { return []string{secret} })
	for kept := range len(secret) {
		id := fmt.Sprint(kept)
		r := s.Open(id)
		r.Request(capture.ClientRequest, "POST", "/", nil, []byte(strings.Repeat("x", 20-kept)+secret+"y"))
		r.Answer(capture.UpstreamAnswer, 200, nil)
		r.Write(capture.UpstreamAnswer, []byte("x"+secret[:kept])) // the rest is on its way
		got, _ := s.Get(id)
		for _, side := range []capture.Side{capture.ClientRequest, capture.UpstreamAnswer} {
			m := got.Messages[side]
			if strings.Contains(string(m.Body), "hunt") || kept >= 4 && !strings.HasSuffix(string(m.Body), capture.Dots) {
				t.Errorf("%d bytes of a secret: %s", kept, m.Body)
			}
		}
		if !got.Messages[capture.ClientRequest].Cut() {
			t.Errorf("%d: half a body passes for a whole one", kept)
		}
		r.End(false)
	}
	r := s.Open("whole")
	r.Request(capture.ClientRequest, "POST", "/", nil, []byte("I hunt"))
	r.End(false)
	if got, _ := s.Get("whole"); string(got.Messages[0].Body) != "I hunt" {
		t.Errorf("a word is hidden: %s", got.Messages[0].Body)
	}
}

func TestOriginalMustBeWhole(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	record(s, "short", 10, false)
	record(s, "long", 11, false)
	if _, _, ok := s.Original("short"); !ok {
		t.Error("a whole request is not given")
	}
	for _, id := range []string{"long", "unknown"} {
		if _, _, ok := s.Original(id); ok {
			t.Errorf("%s: half a request is given as whole", id)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits capture.Limits
		sizes  []int
		want   string // ids that are kept
	}{
		"number":                {limits(nil), []int{1, 1, 1, 1, 1}, "234"},
		"bytes":                 {limits(func(l *capture.Limits) { l.Total = 25 }), []int{10, 10, 10}, "12"},
		"the newest stays":      {limits(func(l *capture.Limits) { l.Total = 5 }), []int{10, 10}, "1"},
		"a body's rest is free": {limits(func(l *capture.Limits) { l.Total = 30 }), []int{500, 500, 500}, "012"},
		"off":                   {limits(func(l *capture.Limits) { l.Mode = capture.Off }), []int{1, 1}, ""},
		"only failures":         {limits(func(l *capture.Limits) { l.Mode = capture.Errors }), []int{1, 2, 3, 4}, "13"},
	} {
		t.Run(name, func(t *testing.T) {
			s := capture.NewStore(c.limits, nil)
			for i, n := range c.sizes {
				record(s, fmt.Sprint(i), n, i%2 == 1)
			}
			kept, held := "", int64(0)
			for i := range c.sizes {
				if snap, ok := s.Get(fmt.Sprint(i)); ok {
					kept += fmt.Sprint(i)
					held += int64(len(snap.Messages[0].Body))
				}
			}
			if kept != c.want {
				t.Errorf("kept %q, want %q", kept, c.want)
			}
			if s.Bytes() != held {
				t.Errorf("%d bytes are counted, %d are held", s.Bytes(), held)
			}
		})
	}
}

func TestStreamsStayWithinTheTotal(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 100, PerBody: 1 << 20, Total: 64 << 10}, nil)
	var open []*capture.Record
	for i := range 20 {
		open = append(open, s.Open(fmt.Sprint(i)))
	}
	for range 64 {
		for _, r := range open {
			r.Write(capture.UpstreamAnswer, make([]byte, 256))
		}
	}
	if n := s.Bytes(); n > 64<<10 {
		t.Errorf("%d bytes are held", n)
	}
	for _, r := range open {
		r.End(true) // also of those that were forgotten meanwhile
	}
}

func TestSetLimitsAndClear(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	for i := range 3 {
		record(s, fmt.Sprint(i), 5, false)
	}
	s.SetLimits(limits(func(l *capture.Limits) { l.Exchanges = 1 }))
	if _, ok := s.Get("1"); ok {
		t.Error("a smaller limit did not count at once")
	}
	running := s.Open("running")
	s.Clear()
	running.Write(capture.UpstreamAnswer, []byte("more"))
	running.Request(capture.ClientRequest, "POST", "/", nil, []byte("late"))
	if _, ok := s.Get("running"); ok || s.Bytes() != 0 || s.Revision("running") != 0 {
		t.Errorf("something is kept after Clear: %d bytes", s.Bytes())
	}
	s.SetLimits(limits(func(l *capture.Limits) { l.Mode = capture.Off }))
	if s.Open("x") != nil {
		t.Error("a record is made while captures are off")
	}
	if s.Limits().Mode != capture.Off {
		t.Error("the limits are not told")
	}
}

func TestAnotherAttemptTakesThePlace(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	r := s.Open("a")
	r.Request(capture.UpstreamRequest, "POST", "u1", nil, []byte("first"))
	r.Answer(capture.UpstreamAnswer, 429, nil)
	r.Write(capture.UpstreamAnswer, []byte("busy"))
	r.Request(capture.UpstreamRequest, "POST", "u2", nil, []byte("second"))
	got, _ := s.Get("a")
	if got.Attempts != 2 || string(got.Messages[1].Body) != "second" || got.Messages[2].Seen {
		t.Errorf("%+v", got)
	}
	if s.Bytes() != int64(len("second")) {
		t.Errorf("%d bytes are counted", s.Bytes())
	}
}

// TestEveryAttemptsKeyIsHidden: also that of a request whose place another one took.
func TestEveryAttemptsKeyIsHidden(t *testing.T) {
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 1000 }), nil)
	r := s.Open("a")
	key := func(n int) http.Header { return http.Header{"X-Api-Key": {fmt.Sprintf("key-of-attempt-%d", n)}} }
	r.Request(capture.ClientRequest, "POST", "/", key(0), nil)
	r.Request(capture.UpstreamRequest, "POST", "u1", key(1), nil)
	r.Request(capture.UpstreamRequest, "POST", "u2", key(2), nil)
	r.Write(capture.ClientAnswer, []byte("key-of-attempt-0 key-of-attempt-1 key-of-attempt-2"))
	if got, _ := s.Get("a"); strings.Contains(fmt.Sprint(got), "attempt") {
		t.Errorf("a key is seen: %+v", got)
	}
}

func TestNilRecord(t *testing.T) {
	var r *capture.Record
	r.Request(capture.ClientRequest, "", "", nil, nil)
	r.Answer(capture.ClientAnswer, 200, nil)
	r.Write(capture.ClientAnswer, []byte("x"))
	r.End(true)
}

func TestConcurrentUse(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 5, PerBody: 64, Total: 300}, func() []string { return []string{"secret"} })
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprint(g, "-", i)
				r := s.Open(id)
				r.Request(capture.ClientRequest, "POST", "/", http.Header{"A": {"b"}}, []byte("body"))
				for range 5 {
					r.Write(capture.ClientAnswer, []byte("some more bytes"))
					if snap, ok := s.Get(id); ok && len(snap.Messages[3].Body) > 64 {
						t.Error("a body is over its limit")
					}
				}
				r.End(i%2 == 0)
			}
		})
	}
	wg.Wait()
	s.Clear()
	if s.Bytes() != 0 {
		t.Errorf("%d bytes are counted in an empty store", s.Bytes())
	}
}

// TestWhatWasShownStays: the memory of an exchange that is forgotten is used for others, but
// not what somebody has been given.
func TestWhatWasShownStays(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: 1 << 20, Total: 8 << 20}, nil)
	for size := 1; size < 200<<10; size = size*3 + 1 {
		var want []byte
		r := s.Open("first")
		for i := range 4 {
			part := bytes.Repeat([]byte{byte('a' + i)}, size)
			r.Answer(capture.UpstreamAnswer, 200, nil)
			r.Write(capture.ClientAnswer, part)
			want = append(want, part...)
		}
		first, _ := s.Get("first")
		r = s.Open("second")
		for range 5 {
			r.Write(capture.ClientAnswer, bytes.Repeat([]byte("x"), size))
			r.Write(capture.UpstreamAnswer, bytes.Repeat([]byte("y"), size))
		}
		if got := first.Messages[capture.ClientAnswer].Body; !bytes.Equal(got, want) {
			t.Errorf("4 parts of %d bytes: %d bytes are shown, %d were written, or others", size, len(got), len(want))
		}
	}
}

// recorded is a stream of some chunks, as a store sees it.
func recorded(s *capture.Store, id string, head http.Header, chunk []byte, chunks int) {
	r := s.Open(id)
	body := []byte("{}")
	r.Request(capture.ClientRequest, "POST", "/v1/messages", head, body)
	r.Request(capture.UpstreamRequest, "POST", "http://localhost/v1", head, body)
	r.Answer(capture.UpstreamAnswer, 200, head)
	r.Answer(capture.ClientAnswer, 200, head)
	for range chunks {
		r.Write(capture.UpstreamAnswer, chunk)
		r.Write(capture.ClientAnswer, chunk)
	}
	r.End(false)
}

// TestRecordingLeavesNoGarbage: however long an answer is, once the store is full the memory
// of those that are forgotten is enough.
func TestRecordingLeavesNoGarbage(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 3, PerBody: 256 << 10, Total: 32 << 20}, nil)
	head := http.Header{"Authorization": {"Bearer 0123456789"}, "Content-Type": {"application/json"}, "X-Api-Key": {"0123456789"}}
	chunk := bytes.Repeat([]byte("x"), 200)
	runs := []int{1, 2000}
	allocations := make([]float64, len(runs))
	for i, chunks := range runs {
		n := 0
		allocations[i] = testing.AllocsPerRun(20, func() {
			n++
			recorded(s, ids[n%len(ids)], head, chunk, chunks)
		})
	}
	if allocations[0] > 16 || allocations[1] > allocations[0]+48 { // the race detector has pools lose some
		t.Errorf("%.0f allocations for a short answer, %.0f for a long one", allocations[0], allocations[1])
	}
}

var ids = []string{"0", "1", "2", "3", "4", "5"}

func BenchmarkRecord(b *testing.B) {
	head := http.Header{}
	for i := range 10 {
		head.Set(fmt.Sprintf("X-Header-%d", i), "value")
	}
	head.Set("Authorization", "Bearer 0123456789")
	for _, chunks := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d chunks", chunks), func(b *testing.B) {
			s := capture.NewStore(capture.DefaultLimits(), nil)
			chunk := bytes.Repeat([]byte("x"), 200)
			names := make([]string, 200)
			for i := range names {
				names[i] = fmt.Sprint(i)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				recorded(s, names[n%len(names)], head, chunk, chunks)
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	s := capture.NewStore(capture.DefaultLimits(), nil)
	chunk := bytes.Repeat([]byte("x"), 200)
	b.ReportAllocs()
	r, n := s.Open("0"), 0
	for b.Loop() {
		if n++; n%1000 == 0 {
			r = s.Open(fmt.Sprint(n))
		}
		r.Write(capture.UpstreamAnswer, chunk)
	}
}
