package lines

import (
	"fmt"
	"regexp"
)

// Joiner makes one record of a line that starts it and of the lines that follow up to the next start, such as a stack trace.
// It is configuration: one Joiner serves any number of streams at once.
type Joiner struct {
	// Start matches the first line of a record, at its beginning; CompileStart makes it. It sees each line alone, of a line
	// that is too long the first part.
	Start *regexp.Regexp
	// MaxLines bounds the lines of a record; 0 stands for no bound.
	MaxLines int
	// MaxBytes bounds the text of a record, line feeds included; 0 stands for MaxLineBytes. A single line, or a part of one,
	// is never cut for it.
	MaxBytes int
}

// CompileStart compiles a pattern (RE2 syntax, package regexp/syntax) so that it matches at the beginning of a line only.
func CompileStart(pattern string) (*regexp.Regexp, error) {
	// Compiled alone first: a pattern such as `a)|(b` must not become valid by the group around it.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("pattern %q of a record's first line (write it as RE2): %w", pattern, err)
	}
	anchored, err := regexp.Compile(`^(?:` + pattern + `)`)
	if err != nil {
		return nil, fmt.Errorf(`pattern %q of a record's first line (close what \Q opens with \E): %w`, pattern, err)
	}
	return anchored, nil
}

// Join returns a source of records over a source of lines such as Window.Line. Lines before the first start are records of
// their own, as they come; so nothing is joined where nothing matches.
//
// The lines of a record are joined by '\n'. A record that outgrows a bound is cut between lines, or between the parts of a
// line: the parts count from 1, and the separator at the cut is in none of them. A piece has the offset of its first line or
// part of a line. Its text is valid until the next call.
//
// What ends the lines, io.EOF or a fault, ends the record before it, which is returned first: it has only whole lines, or
// parts of one.
func (j *Joiner) Join(next func() (Piece, error)) func() (Piece, error) {
	c := &joining{Joiner: *j, lines: next}
	if c.MaxBytes <= 0 {
		c.MaxBytes = MaxLineBytes
	}
	return c.record
}

// joining is the state of one Join.
type joining struct {
	Joiner
	lines   func() (Piece, error)
	pending Piece  // the record, or part of one, that may go on; Text is a buffer of ours
	open    bool   // there is a pending one
	count   int    // of its lines
	spare   []byte // the buffer of the piece that was returned last
	err     error  // what the lines ended with
}

func (c *joining) record() (Piece, error) {
	for c.err == nil {
		line, err := c.lines()
		switch {
		case err != nil:
			c.err = err
		case line.Part <= 1 && c.Start.Match(line.Text):
			if c.open {
				done := c.close()
				c.begin(line, 0)
				return done, nil
			}
			c.begin(line, 0)
		case !c.open:
			return line, nil
		case c.fits(line):
			c.add(line)
		default:
			return c.cut(line), nil
		}
	}
	if c.open {
		return c.close(), nil
	}
	return Piece{}, c.err
}

// fits reports whether the pending piece may take the line.
func (c *joining) fits(line Piece) bool {
	size, count := len(c.pending.Text)+len(line.Text), c.count
	if line.Part <= 1 {
		size, count = size+1, count+1
	}
	return size <= c.MaxBytes && (c.MaxLines <= 0 || count <= c.MaxLines)
}

func (c *joining) add(line Piece) {
	if line.Part <= 1 {
		c.pending.Text = append(c.pending.Text, '\n')
		c.count++
	}
	c.pending.Text = append(c.pending.Text, line.Text...)
}

// cut ends a part of the pending record and begins the next one.
func (c *joining) cut(line Piece) (done Piece) {
	part := max(c.pending.Part, 1)
	done = c.close()
	done.Part, done.Last = part, false
	c.begin(line, part+1)
	return done
}

// close returns the pending piece as the last of its record.
func (c *joining) close() Piece {
	done := c.pending
	done.Last = true
	c.pending, c.spare, c.open = Piece{Text: c.spare}, done.Text, false
	return done
}

func (c *joining) begin(line Piece, part int) {
	c.pending.Text = append(c.pending.Text[:0], line.Text...)
	c.pending.Offset, c.pending.Part, c.pending.Last = line.Offset, part, false
	c.open, c.count = true, 1
}
