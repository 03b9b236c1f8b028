package settings

import (
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// format is a version of the file's layout, and how older ones are brought to it.
type format struct {
	version int
	// steps[n] rewrites a document of version n as one of version n+1.
	steps map[int]func(doc map[string]any) error
}

// current is the format this program writes. A change that an older program would
// misread gets a new version and a step; a key that is only added needs neither.
var current = format{version: 1}

// migrate brings a document of version from up to date. A document without a version
// is of the first one.
func (f format) migrate(data []byte, from int) (out []byte, changed bool, err error) {
	from = max(from, 1)
	if from == f.version {
		return data, false, nil
	}
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return nil, false, err
	}
	for v := from; v < f.version; v++ {
		step, ok := f.steps[v]
		if !ok {
			return nil, false, fmt.Errorf("no way from format version %d to %d", v, v+1)
		}
		if err := step(doc); err != nil {
			return nil, false, fmt.Errorf("bring format version %d to %d: %w", v, v+1, err)
		}
		doc["version"] = int64(v + 1)
	}
	out, err = toml.Marshal(doc)
	return out, true, err
}
