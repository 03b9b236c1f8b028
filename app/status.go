package app

// State is how far the proxy is between stopped and running.
type State uint8

// The states of the proxy.
const (
	Stopped State = iota
	Starting
	Running
	Stopping
	Failed // it should run and does not; Status.Err says why
)

var stateNames = [...]string{"stopped", "starting", "running", "stopping", "failed"}

// String is the state in a word.
func (s State) String() string { return stateNames[s] }

// Status is the state of the proxy at one moment.
type Status struct {
	State State
	Addr  string // what is listened on when Running, otherwise the address that is wanted
	Err   error  // why it Failed
}
