package proxy

import "testing"

func TestListenerOf(t *testing.T) {
	const german = `
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:135            0.0.0.0:0              ABH\xd6REN         1040
  TCP    127.0.0.1:8787         127.0.0.1:50123        HERGESTELLT     77
  TCP    127.0.0.1:18787        0.0.0.0:0              ABH\xd6REN         88
  TCP    127.0.0.1:50124        127.0.0.1:8080         HERGESTELLT     99
  TCP    127.0.0.1:8787         0.0.0.0:0              ABH\xd6REN         1234
  TCP    [::]:8080              [::]:0                 ABH\xd6REN         4321
  UDP    0.0.0.0:5353           *:*                                    2200
`
	for port, want := range map[string]string{"8787": "1234", "8080": "4321", "135": "1040", "50124": "", "5353": "", "87": ""} {
		if got := listenerOf(german, port); got != want {
			t.Errorf("port %s: %q, want %q", port, got, want)
		}
	}
}
