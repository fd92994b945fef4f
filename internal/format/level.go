package format

import "sluice/internal/record"

// maxLevelBytes is as long as the name of a level gets.
const maxLevelBytes = 16

// levelOf returns the severity that the name of a level means, in any letter case; "" when it is none.
// Sources: log4j, logrus, klog, RFC 5424, and the documentation of PostgreSQL, MySQL and Redis.
func levelOf(word []byte) record.Severity {
	var buffer [maxLevelBytes]byte
	lower := lowered(&buffer, word)
	switch string(lower) {
	case "fine", "finer", "finest", "verbose", "debug1", "debug2", "debug3", "debug4", "debug5":
		return record.Debug
	case "log", "system", "note", "config":
		return record.Info // of PostgreSQL, and of MySQL
	}
	return commonLevel(lower)
}

// commonLevel is levelOf for the names, in lower case, that mean a level wherever they stand.
func commonLevel(word []byte) record.Severity {
	switch string(word) {
	case "trace", "debug":
		return record.Debug
	case "info", "information", "informational":
		return record.Info
	case "notice":
		return record.Notice
	case "warn", "warning":
		return record.Warning
	case "error", "err", "severe":
		return record.Error
	case "crit", "critical", "fatal", "panic", "dpanic", "alert", "emerg", "emergency":
		return record.Critical
	}
	return ""
}

// lowered returns a word in lower case; nil when it is too long for the name of a level.
func lowered(buffer *[maxLevelBytes]byte, word []byte) []byte {
	if len(word) > len(buffer) {
		return nil
	}
	for i, c := range word {
		if isCapital(c) {
			c |= ' '
		}
		buffer[i] = c
	}
	return buffer[:len(word)]
}

// numberedLevel returns the severity that a number means: of bunyan and pino, 10 to 60, or of syslog, 0 to 7.
// Sources: bunyan, "Levels"; RFC 5424, 6.2.1.
func numberedLevel(number []byte) record.Severity {
	switch string(number) {
	case "10", "20", "7":
		return record.Debug
	case "30", "6":
		return record.Info
	case "5":
		return record.Notice
	case "40", "4":
		return record.Warning
	case "50", "3":
		return record.Error
	case "60", "2", "1", "0":
		return record.Critical
	}
	return ""
}
