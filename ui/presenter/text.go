package presenter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"apex-ai-proxy/ui/words"
)

// none stands for a value that is not there.
const none = "–"

// Shorten cuts s to n runes, the last of which is then an ellipsis.
func Shorten(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	if n <= 1 {
		return strings.Repeat("…", max(n, 0))
	}
	end := 0
	for range n - 1 {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return strings.TrimRight(s[:end], " ") + "…"
}

// elapsed is a duration as people read it.
func elapsed(d time.Duration) string {
	switch {
	case d <= 0:
		return none
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	default:
		return words.F("{{.Minutes}} m {{.Seconds}} s", words.V{
			"Minutes": int(d.Minutes()), "Seconds": fmt.Sprintf("%02d", int(d.Seconds())%60),
		})
	}
}

// size is a number of bytes as people read it.
func size(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1000*1000:
		return fmt.Sprintf("%.1f KB", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
	}
}

// count is a whole number with a mark at the thousands.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short is a large number in few characters: 1,234, 18.2k, 3.4M.
func short(n int64) string {
	switch {
	case n < 10_000:
		return count(n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1fk", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1fM", float64(n)/1_000_000)
	}
}
