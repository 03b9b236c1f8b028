package proxy

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

const largeKey = "local-key-123"

// upload is a connection on which a large body is announced, and nothing of it is there yet.
func upload(t *testing.T, s *Server, size int) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", largeKey, size)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// receiving is a server that waits for silence as long as it is told.
func receiving(t *testing.T, silence time.Duration) *Server {
	t.Helper()
	s := New(slog.New(slog.DiscardHandler), event.NewBus(4))
	s.bodySilence = silence
	if err := s.Start(t.Context(), "127.0.0.1:0", Config{LocalKey: largeKey}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	return s
}

// largeAsk is a request for the demo provider of so many bytes.
func largeAsk(size int) string {
	ask := `{"model":"echo#demo","messages":[{"role":"user","content":"Hello"}]`
	return ask + strings.Repeat(" ", size-len(ask)-1) + "}"
}

// TestLargeBodyComesSlowly: a large body may come in pieces that are small and late, though the
// proxy would rather read more at once.
func TestLargeBodyComesSlowly(t *testing.T) {
	t.Parallel()
	const piece, size = 3 << 10, 280 << 10
	s := receiving(t, 3*time.Second)
	ask := largeAsk(size)
	c := upload(t, s, size)
	for len(ask) > 0 { // the first 256 KiB take longer than a silence may
		n := min(piece, len(ask))
		if _, err := io.WriteString(c, ask[:n]); err != nil {
			t.Fatal(err)
		}
		ask = ask[n:]
		time.Sleep(40 * time.Millisecond)
	}
	_ = c.CloseWrite()
	if all, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200 ") {
		t.Errorf("%v %.300s", err, all)
	}
}

// TestLargeBodyStops: one that ends too early is refused at once, and one that stops coming
// after its silence.
func TestLargeBodyStops(t *testing.T) {
	const size = 1 << 20
	var all sync.WaitGroup // the silent ones mostly wait
	defer all.Wait()
	for _, c := range []struct {
		name    string
		silence time.Duration
		sent    int
		closes  bool
		status  int
	}{
		{"cut off at its start", time.Hour, 0, true, http.StatusBadRequest},
		{"cut off in the middle", time.Hour, size / 3, true, http.StatusBadRequest},
		{"cut off at its end", time.Hour, size - 1, true, http.StatusBadRequest},
		{"silent at its start", 3 * time.Second, 0, false, http.StatusRequestTimeout},
		{"silent in the middle", 3 * time.Second, size / 3, false, http.StatusRequestTimeout},
		{"silent at its end", 3 * time.Second, size - 1, false, http.StatusRequestTimeout},
		{"whole", time.Hour, size, false, http.StatusOK},
	} {
		all.Go(func() {
			t.Run(c.name, func(t *testing.T) {
				s := receiving(t, c.silence)
				conn := upload(t, s, size)
				if _, err := io.WriteString(conn, largeAsk(size)[:c.sent]); err != nil {
					t.Fatal(err)
				}
				if c.closes {
					_ = conn.CloseWrite()
				}
				head := make([]byte, len("HTTP/1.1 200"))
				if _, err := io.ReadFull(conn, head); err != nil || string(head[9:]) != fmt.Sprint(c.status) {
					t.Errorf("%v %s, want %d", err, head, c.status)
				}
			})
		})
	}
}

// TestLargeBodyThenSmall: a connection that has brought a large body serves small requests
// at once.
func TestLargeBodyThenSmall(t *testing.T) {
	s := receiving(t, time.Hour)
	small := "GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + largeKey + "\r\n\r\n"
	for size := 256 << 10; size <= 1<<20; size += 60 << 10 {
		c := upload(t, s, size)
		if _, err := io.WriteString(c, largeAsk(size)); err != nil {
			t.Fatal(err)
		}
		// The first behind the answer, the second behind that of the first.
		seen, buf := "", make([]byte, 4<<10)
		for _, answer := range []string{"HTTP/1.1 200 ", "HTTP/1.1 404 ", "HTTP/1.1 404 "} {
			for !strings.Contains(seen, answer) {
				n, err := c.Read(buf)
				if err != nil {
					t.Fatalf("after %d bytes no %s: %v %s", size, answer, err, seen)
				}
				seen += string(buf[:n])
			}
			seen = ""
			if _, err := io.WriteString(c, small); err != nil {
				t.Fatal(err)
			}
		}
	}
}
