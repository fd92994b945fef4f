package record

// Severity is how grave a record is, in the words that most intakes know.
type Severity string

// The severities, from the least to the most grave.
const (
	Debug    Severity = "debug"
	Info     Severity = "info"
	Notice   Severity = "notice"
	Warning  Severity = "warning"
	Error    Severity = "error"
	Critical Severity = "critical"
)
