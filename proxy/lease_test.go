package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
)

// holds tells whether the long text of a body is nothing but the letter.
func holds(body []byte, letter string) bool {
	_, text, _ := bytes.Cut(body, []byte(`"text":"`))
	text, _, _ = bytes.Cut(text, []byte(`"`))
	return bytes.Count(text, []byte(letter)) == len(text)
}

// TestBodiesDoNotMix: the buffers that bodies are read into are used again, but never while
// somebody still reads them: a slow upstream that has answered already, or a capture.
func TestBodiesDoNotMix(t *testing.T) {
	const clients, rounds = 6, 6
	for name, size := range map[string]int{"small": 5 << 10, "large": 300 << 10} {
		for _, captured := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " captured ", captured), func(t *testing.T) {
				u := &upstream{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					letter, when, _ := strings.Cut(r.Header.Get("Idempotency-Key"), " ")
					early := when == "early"
					if early {
						_ = http.NewResponseController(w).EnableFullDuplex()
						w.Header().Set("Content-Type", "application/json")
						w.Header().Set("Content-Length", strconv.Itoa(len(chatAnswer))) // the exchange ends with it
						_, _ = io.WriteString(w, chatAnswer)
						_ = http.NewResponseController(w).Flush()
						time.Sleep(20 * time.Millisecond)
					}
					body, _ := io.ReadAll(r.Body) // which may be cut off behind an early answer
					if !holds(body, letter) {
						t.Error("the upstream got the bytes of another request")
					}
					if !early {
						vendor(w, r)
					}
				}))}
				t.Cleanup(u.Close)
				store := capture.NewStore(capture.DefaultLimits(), nil)
				if !captured {
					store = nil
				}
				f := start(t, u, capturing(store))
				var sent sync.Map // letters by the id of the exchange
				var wg sync.WaitGroup
				for c := range clients {
					wg.Go(func() {
						for i := range rounds {
							letter := "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[c*rounds+i:][:1]
							text := strings.Repeat(letter, size+977*i)
							model, when := "gpt-4o#openai", "late"
							if (c+i)%2 == 0 {
								model = "gpt-4o" // needs no edit
							}
							if (c+i)%4 > 1 {
								when = "early"
							}
							got := f.post("/v1/chat/completions", chat(model, `"text":"`+text+`",`), withHeader("Idempotency-Key", letter+" "+when))
							if got.status != http.StatusOK {
								t.Errorf("status %d: %s", got.status, got.body)
							}
							sent.Store(got.header.Get("Request-Id"), letter)
						}
					})
				}
				wg.Wait()
				sent.Range(func(id, letter any) bool {
					f.final(id.(string))
					snap, _ := find(store, id.(string))
					for side := range snap.Messages {
						if !holds(snap.Messages[side].Body, letter.(string)) {
							t.Errorf("side %d holds the bytes of another request", side)
						}
					}
					return true
				})
			})
		}
	}
}

func find(s *capture.Store, id string) (capture.Snapshot, bool) {
	if s == nil {
		return capture.Snapshot{}, false
	}
	return s.Get(id)
}

// TestLargeBuffers: those that are too large are not held on to.
func TestLargeBuffers(t *testing.T) {
	if !proxy.UsedAgain(proxy.LargestLease/64, 50) { // of which some are forgotten
		t.Error("no buffer is used again")
	}
	if proxy.UsedAgain(proxy.LargestLease+1, 2) {
		t.Error("the largest are held on to")
	}
}

// TestBufferOfAnOpenBody: a buffer is not used again while the transport may still read it,
// and not read after the transport has let go of it.
func TestBufferOfAnOpenBody(t *testing.T) {
	const size = 200 << 10
	body, again := proxy.BodyOfEndedExchange(t, size)
	if again() {
		t.Error("the buffer of a body that is being sent is used for another")
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(body, size-1)); n != size-1 || err != nil {
		t.Errorf("read %d bytes: %v", n, err)
	}
	for range 2 {
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	if n, err := body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes were read from a closed body, error %v", n, err)
	}
}

// spool is a connection that keeps what is written to it, as it stands in the sender's memory.
type spool struct {
	net.Conn
	writes  [][]byte
	onWrite func()
}

func (w *spool) Write(b []byte) (int, error) {
	w.writes = append(w.writes, b)
	if w.onWrite != nil {
		w.onWrite()
	}
	return len(b), nil
}

// TestBodyIsSentFromWhereItStands: a body in memory is not copied on its way to the connection,
// and its buffer is not used again before it is on its way, whoever closes the body.
func TestBodyIsSentFromWhereItStands(t *testing.T) {
	const size = 200 << 10
	body, again := proxy.BodyOfEndedExchange(t, size)
	w := &spool{}
	w.onWrite = func() {
		_ = body.Close()
		if again() {
			t.Error("the buffer of a body that is being written is used for another")
		}
	}
	limited := &io.LimitedReader{R: body, N: size}
	if n, err := proxy.SendFrom(w, limited); n != size || err != nil || limited.N != 0 {
		t.Errorf("sent %d bytes, %d left: %v", n, limited.N, err)
	}
	if len(w.writes) != 2 || len(w.writes[0]) != size/2 || len(w.writes[1]) != size/2 {
		t.Errorf("written in %d parts", len(w.writes))
	}
	if n, err := proxy.SendFrom(w, &io.LimitedReader{R: body, N: size}); n != 0 || err == nil {
		t.Errorf("%d bytes of a closed body were sent, error %v", n, err)
	}

	text := []byte(strings.Repeat("0123456789", size/10))
	for name, r := range map[string]io.Reader{
		"whole":    io.LimitReader(bytes.NewReader(text), size),
		"limited":  io.LimitReader(bytes.NewReader(text), size-1),
		"unknown":  io.LimitReader(iotest.OneByteReader(bytes.NewReader(text[:999])), size),
		"no limit": bytes.NewReader(text),
	} {
		want := text
		switch name {
		case "limited":
			want = text[:size-1]
		case "unknown":
			want = text[:999]
		}
		var got bytes.Buffer
		w := &spool{}
		w.onWrite = func() { got.Write(w.writes[len(w.writes)-1]) }
		if n, err := proxy.SendFrom(w, r); n != int64(len(want)) || err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: sent %d bytes: %v", name, n, err)
		}
		if inPlace := &w.writes[0][0] == &text[0]; inPlace != (name == "whole" || name == "no limit") {
			t.Errorf("%s: sent from where it stands: %t", name, inPlace)
		}
	}
}
