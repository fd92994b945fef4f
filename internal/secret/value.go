package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is all that a Value shows of itself.
const redacted = "[redacted]"

// Value is a secret text. However it is printed, encoded or logged it reads "[redacted]", the empty one too; only Reveal
// gives the text. The zero value is empty.
//
// The text hides in a closure, so that printers which look into unexported fields and behind pointers find an address.
type Value struct{ reveal func() string }

// NewValue returns text as a secret. White space around it is removed: stores and files often hold a final newline.
func NewValue(text string) Value {
	text = strings.TrimSpace(text)
	if text == "" {
		return Value{}
	}
	return Value{reveal: func() string { return text }}
}

// Reveal returns the text. Call it where the text leaves the process, and keep nothing.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// IsEmpty reports whether there is no text.
func (v Value) IsEmpty() bool { return v.reveal == nil }

// Equal reports whether both hold the same text, in a time that does not depend on where they differ.
func (v Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (Value) String() string { return redacted }

// GoString returns "[redacted]".
func (Value) GoString() string { return redacted }

// Format writes "[redacted]" whatever the verb is.
func (Value) Format(s fmt.State, _ rune) { writeState(s, redacted) }

// MarshalText returns "[redacted]".
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML returns "[redacted]".
func (Value) MarshalYAML() (any, error) { return redacted, nil }

// LogValue returns "[redacted]".
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// writeState writes to what fmt prints into. fmt reports the errors of its own writer, so there is nobody to tell here.
func writeState(s fmt.State, text string) { _, _ = io.WriteString(s, text) }
