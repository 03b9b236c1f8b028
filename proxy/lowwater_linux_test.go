package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// waterMark is the mark that the system has for a connection.
func waterMark(t *testing.T, c net.Conn) (mark int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) { mark, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	return mark
}

// TestLowWater: the mark of a large body is that of a piece, then what is left, and in the end,
// or when it took too long, it is gone.
func TestLowWater(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const size = enough + 1000
	request := func(size int64) *http.Request {
		r, err := http.NewRequestWithContext(context.WithValue(t.Context(), connKey{}, conn), http.MethodPost, "/", io.NopCloser(conn))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = size
		return r
	}
	for _, small := range []int64{-1, 0, enough/2 - 1} {
		if newLowWater(request(small), time.Hour) != nil {
			t.Errorf("a body of %d bytes is waited for", small)
		}
	}
	go func() { _, _ = client.Write(make([]byte, size)) }()
	l := newLowWater(request(size), time.Hour)
	for left := size; left > 0; {
		n, err := l.Read(make([]byte, readAtOnce))
		if want := min(left, enough); err != nil || waterMark(t, conn) != want {
			t.Fatalf("%v, with %d bytes left the mark is %d", err, left, waterMark(t, conn))
		}
		left -= n
	}
	l.end()
	if waterMark(t, conn) != 1 {
		t.Errorf("after the body, the mark is %d", waterMark(t, conn))
	}

	l = newLowWater(request(size), time.Millisecond)
	go func() { _, _ = client.Write(make([]byte, 100)) }()
	if n, err := l.Read(make([]byte, readAtOnce)); n != 100 || err != nil {
		t.Errorf("of a slow body, %d bytes and %v", n, err)
	}
	for waterMark(t, conn) != 1 {
		time.Sleep(time.Millisecond)
	}
}

func TestKernelsWithMarks(t *testing.T) {
	for release, want := range map[string]bool{
		"3.10.0-1160.el7.x86_64": false, "4.4.0": false, "4.18.0-553.el8.x86_64": false, "5.10.0-28-amd64": false, "5.4": false, "5.11.22": false,
		"5.12.0": true, "5.15.0-119-generic": true, "6.1.0-18-amd64": true, "6.18.44": true, "10.0": true,
		"": false, "unknown": false,
	} {
		if marksWork(release) != want {
			t.Errorf("%q: %v", release, !want)
		}
	}
}
