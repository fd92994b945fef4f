package agent

import (
	"errors"
	"fmt"
	"io"
	"regexp"
)

// The largest record that a stream takes, in bytes.
const (
	FirehoseRecordBytes = 1_024_000 // before encoding; Data Firehose quotas
	KinesisRecordBytes  = 1 << 20   // Kinesis Data Streams quotas
)

// Splitting is how the agent cuts a file into records. The zero value is a record a line.
type Splitting struct {
	// MultiLineStartPattern is a Java regular expression that the first line of a record matches at its beginning. Empty:
	// every line is a record.
	MultiLineStartPattern string
	// SkipHeaderLines is how many lines at the start of a file are no records.
	SkipHeaderLines int
	// TruncatedRecordTerminator is what a record that is too large ends in; empty stands for a line feed.
	TruncatedRecordTerminator string
	// MaxRecordBytes is the largest record; 0 stands for FirehoseRecordBytes.
	MaxRecordBytes int
}

// Splitter cuts streams into records. One serves any number of streams at once.
type Splitter struct {
	start      *regexp.Regexp // nil when every line is a record
	header     int
	terminator string
	most       int
}

// NewSplitter checks the settings. An error names everything that is wrong with them.
func NewSplitter(s Splitting) (*Splitter, error) {
	sp := &Splitter{header: s.SkipHeaderLines, terminator: s.TruncatedRecordTerminator, most: s.MaxRecordBytes}
	if sp.terminator == "" {
		sp.terminator = "\n"
	}
	if sp.most == 0 {
		sp.most = FirehoseRecordBytes
	}
	var errs []error
	if s.MultiLineStartPattern != "" {
		start, err := CompileStart(s.MultiLineStartPattern)
		if err != nil {
			errs = append(errs, fmt.Errorf("multiLineStartPattern: %w", err))
		}
		sp.start = start
	}
	if sp.header < 0 {
		errs = append(errs, fmt.Errorf("skipHeaderLines: %d: want a number of lines from 0 on", sp.header))
	}
	if sp.most < 1 || sp.most > bufferBytes {
		errs = append(errs, fmt.Errorf("the largest record: %d bytes: want 1 to %d", sp.most, bufferBytes))
	} else if len(sp.terminator) >= sp.most {
		errs = append(errs, fmt.Errorf("truncatedRecordTerminator: %d bytes: want fewer than the %d of the largest record",
			len(sp.terminator), sp.most))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return sp, nil
}

// CompileStart compiles a multiLineStartPattern so that it matches at the beginning of a line only, whether the line is
// given with what ends it or without. It fits a lines.Joiner.
func CompileStart(pattern string) (*regexp.Regexp, error) {
	return compileJava(pattern, `\A(?:`, `)`, javaFinalLine+`?\z`)
}

// Truncate cuts a record that is too large, and writes the terminator over its last bytes; it may cut inside of a
// character. The agent does so behind the conversion. The record is changed.
func (s *Splitter) Truncate(record []byte) (cut []byte, truncated bool) {
	if len(record) <= s.most {
		return record, false
	}
	copy(record[s.most-len(s.terminator):], s.terminator)
	return record[:s.most:s.most], true
}

// Records returns the records of a stream, which is a file from its start on.
func (s *Splitter) Records(src io.Reader) *Records {
	r := &Records{splitter: s}
	r.Reset(src)
	return r
}

// Kind says what a piece of a stream is to the agent.
type Kind uint8

// The kinds.
const (
	Data    Kind = iota // a record
	Header              // a line that is skipped
	Unended             // a last line without line feed, which the agent would wait for and not send
	Runaway             // what follows the first 4 MiB of a record, which the agent would not send
)

// Piece is a record, or what the agent leaves out. The texts of all pieces, one behind the other, are the stream.
type Piece struct {
	Text   []byte // with its line feed; valid until the next call
	Offset int64  // of its first byte in the stream
	Kind   Kind
	Last   bool // false while the rest of a record of more than 4 MiB follows
}
