package deliver

import (
	"slices"
	"sync/atomic"

	"sluice/internal/compress"
	"sluice/internal/destination"
)

// coding is which of a destination's content codings is in use: the most wanted one, until the destination refuses it
// and takes the same lines in the next.
type coding struct {
	codecs []compress.Codec // most wanted first; at least one
	used   atomic.Int32     // index of the one in use
	proven atomic.Uint64    // bit i: a body in coding i has been accepted
}

func (c *coding) inUse() compress.Codec { return c.codecs[c.used.Load()] }

// refused reports whether a coding has been given up since a body was packed in it.
func (c *coding) refused(codec compress.Codec) bool {
	return slices.Index(c.codecs, codec) < int(c.used.Load())
}

// next is the coding to try after an answer that may be about the one that was sent. An invalid body may be one that the
// destination cannot unpack, as long as it has not unpacked another.
func (c *coding) next(sent compress.Codec, answer destination.Verdict) (compress.Codec, bool) {
	i := slices.Index(c.codecs, sent)
	if i+1 == len(c.codecs) || answer == destination.Invalid && c.proven.Load()&(1<<i) != 0 {
		return nil, false
	}
	return c.codecs[i+1], true
}

// accepted notes that a body in this coding was taken.
func (c *coding) accepted(codec compress.Codec) { c.proven.Or(1 << slices.Index(c.codecs, codec)) }

// use makes this coding the one in use: what was refused in the one before was taken in it.
func (c *coding) use(codec compress.Codec) { c.used.Store(int32(slices.Index(c.codecs, codec))) }
