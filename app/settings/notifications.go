package settings

// The fields of Notifications.
const (
	FieldNotifyFailedStart = "notifications.failed_start"
	FieldNotifyStopped     = "notifications.stopped"
	FieldNotifyToken       = "notifications.token"
)

// Notifications are the kinds of messages that the desktop shows outside the window.
type Notifications struct {
	FailedStart bool `toml:"failed_start"` // the proxy could not be started
	Stopped     bool `toml:"stopped"`      // the proxy stopped although nobody wanted it to
	Token       bool `toml:"token"`        // the gateway refused the token
}
