//go:build !linux

package proxy

import "net"

// enough is 0: no piece is large enough to be waited for.
const enough = 0

func wakeAt(net.Conn, int) {}

func holdsBack() bool { return false }
