package ledger

// Tags is what looking up the tags of resources has come to. No line waits for it or is lost by it.
type Tags struct {
	Untagged  int    // lines that went without the tags that they may have
	Calls     int    // of AWS
	Throttled int    // of these
	Failures  int    // of these
	Trouble   string // what keeps tags from being known; empty when all is well
}

// Redacted counts texts that a rule has replaced.
func (l *Ledger) Redacted(rule string, n int) {
	if n <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.redactions == nil {
		l.redactions = make(map[string]int)
	}
	l.redactions[clean(rule)] += n
}

// Tagged notes what looking up tags has come to.
func (l *Ledger) Tagged(t Tags) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tags = &t
}

// sideMetrics are those of what the settings have asked for beside forwarding.
func (l *Ledger) sideMetrics() []metric {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tags == nil {
		return nil
	}
	return []metric{
		{"LinesUntagged", unitCount, float64(l.tags.Untagged)},
		{"TagCallFailures", unitCount, float64(l.tags.Failures)},
	}
}

// appendSide appends what is no metric of it.
func (l *Ledger) appendSide(dst []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.redactions) > 0 {
		dst = appendTally(appendKey(dst, "redactions"), l.redactions)
	}
	if l.tags == nil {
		return dst
	}
	dst = append(appendKey(dst, "tag_lookups"), '{')
	dst = appendInt(appendKey(dst, "calls"), int64(l.tags.Calls))
	dst = appendInt(appendKey(dst, "throttled"), int64(l.tags.Throttled))
	if l.tags.Trouble != "" {
		dst = appendText(appendKey(dst, "trouble"), l.tags.Trouble)
	}
	return append(dst, '}')
}
