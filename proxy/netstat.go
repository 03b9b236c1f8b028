package proxy

import "strings"

// listenerOf is the number of the process that listens on a port, "" for none, in what
// Windows' netstat -ano prints:
//
//	TCP    127.0.0.1:8787    0.0.0.0:0    LISTENING    1234
//	TCP    [::]:8787         [::]:0       LISTENING    1234
//
// The state is translated; the port 0 of the far end is not.
func listenerOf(netstat, port string) string {
	for line := range strings.Lines(netstat) {
		col := strings.Fields(line)
		if len(col) >= 5 && col[0] == "TCP" && strings.HasSuffix(col[1], ":"+port) && strings.HasSuffix(col[2], ":0") {
			return col[len(col)-1]
		}
	}
	return ""
}
