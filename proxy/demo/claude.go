package demo

import (
	"strconv"
	"strings"
)

// claude is what one of Anthropic's models refuses. The zero claude refuses nothing in
// particular; it stands for models that are not known.
type claude struct {
	known        bool
	maxOutput    int64
	thinks       bool
	adaptive     bool
	noBudget     bool
	alwaysThinks bool
	effort       bool
	noSampling   bool
	oneSampling  bool
	noPrefill    bool
	midSystem    bool
}

// claudeOf reads the version out of a model's id: claude-opus-4-5-20251101, claude-3-5-haiku-latest.
func claudeOf(model string) claude {
	rest, ok := strings.CutPrefix(model, "claude-")
	if !ok {
		return claude{}
	}
	family, version := "", 0
	digits := 0
	for _, word := range strings.Split(rest, "-") {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil:
			if family == "" {
				family = word
			}
		case n < 100 && digits < 2:
			version = version*10 + n
			digits++
		}
	}
	if digits == 0 {
		return claude{}
	}
	if digits == 1 {
		version *= 10
	}
	return claudeAt(family, version)
}

// claudeAt is the record of a version: 45 is 4.5.
func claudeAt(family string, version int) claude {
	c := claude{known: true, thinks: version >= 37, maxOutput: 128_000}
	c.adaptive = version >= 46
	c.noPrefill = version >= 46
	c.effort = version >= 46 || version == 45 && family == "opus"
	c.noBudget = version >= 47
	c.noSampling = version >= 47
	c.midSystem = version >= 48
	c.oneSampling = version >= 41
	c.alwaysThinks = family == "fable" || family == "mythos"
	switch {
	case version < 35:
		c.maxOutput = 4_096
	case version < 37:
		c.maxOutput = 8_192
	case version >= 40 && version < 45 && family == "opus":
		c.maxOutput = 32_000
	case version >= 40 && version < 46:
		c.maxOutput = 64_000
	}
	return c
}
