package proxy

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
)

// enough is how many bytes of a large body make up a piece: as many as are read at once.
const enough = readAtOnce

// wakeAt lets the system wake the reader of c only when so many bytes are there, or when no more
// will come.
func wakeAt(c net.Conn, bytes int) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	// Where it fails, or the connection is closed, the reader is woken for any byte.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes)
	})
}

// holdsBack tells whether the system wakes a reader at its mark and not later: old ones neither
// make room for so many bytes, nor wake it when the mark is lowered.
var holdsBack = sync.OnceValue(func() bool {
	var name syscall.Utsname
	if syscall.Uname(&name) != nil {
		return false
	}
	var release strings.Builder
	for _, c := range name.Release {
		release.WriteByte(byte(c))
	}
	return marksWork(release.String())
})

// marksWork tells whether marks are of use with a release of the kernel, as in "6.1.0-18-amd64".
func marksWork(release string) bool {
	var major, minor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	return err == nil && (major > 5 || major == 5 && minor >= 12)
}
