//go:build !failpoint

package failpoint

// Hit does nothing in this build.
func Hit(Point) {}

// AtMost is the bound as it is in this build.
func AtMost(bound int64) int64 { return bound }
