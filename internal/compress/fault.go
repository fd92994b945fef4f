package compress

import "fmt"

// TooLargeError says that a stream holds more plain bytes than it may. What it may hold has been handed out.
type TooLargeError struct {
	LimitBytes int64
	Setting    string // that raises the limit
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("inflates to more than %d bytes (raise %s if this is no bomb)", e.LimitBytes, e.Setting)
}

// The settings that limit plain bytes.
const (
	settingInflated = "SLUICE_MAX_INFLATED_BYTES" // of a payload
	settingObject   = "SLUICE_MAX_OBJECT_BYTES"   // of an S3 object
)

// BombError says that a stream was given up because it inflates as no log does. What came out up to there has been
// handed out.
type BombError struct {
	Packing     Packing
	PackedBytes int64 // of that layer, in the stretch that gave it away
	PlainBytes  int64 // of that layer, that they became
}

func (e *BombError) Error() string {
	return fmt.Sprintf("%s looks like a decompression bomb: %d bytes of it inflate to %d, which is %d:1, and %d:1 is the most that is read",
		e.Packing, e.PackedBytes, e.PlainBytes, e.PlainBytes/max(e.PackedBytes, 1), maxRatio)
}

// LayersError says that a stream, or a file of an archive, is packed in more layers than are peeled off. Nothing of it has
// been handed out.
type LayersError struct {
	Packing Packing // of the layer that is left
}

func (e *LayersError) Error() string {
	return fmt.Sprintf("%s inside of %d other layers: no more are unpacked (unpack it, and put it again)", e.Packing, maxLayers)
}

// CorruptError says that what is packed cannot be unpacked to its end: it is broken, cut short, or packed in a way that
// is not read here, which [errors.Is] finds as [errors.ErrUnsupported]. To read it again brings the same error.
type CorruptError struct {
	Packing Packing
	Offset  int64 // plain bytes of that layer in front of the fault; all of them have been handed out
	Err     error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s cannot be unpacked behind plain byte %d: %v", e.Packing, e.Offset, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }
