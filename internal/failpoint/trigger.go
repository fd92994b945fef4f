package failpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// The actions.
const (
	exit   = "exit"
	panics = "panic"
	hang   = "hang"
)

// trigger is what happens at one point. The zero value is nothing at none.
type trigger struct {
	point   Point
	action  string
	nth     int64 // time that the point is reached
	bytes   int64 // what bounds are lowered to; 0: they stay
	reached atomic.Int64
}

// parse reads the two variables. What is empty asks for nothing.
func parse(point, bytes string) (*trigger, error) {
	t := &trigger{nth: 1}
	if bytes != "" {
		n, err := strconv.ParseInt(bytes, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("bytes %.40q: want a number of at least 1", bytes)
		}
		t.bytes = n
	}
	if point == "" {
		return t, nil
	}
	name, rest, _ := strings.Cut(point, ":")
	action, number, numbered := strings.Cut(rest, ":")
	if !slices.Contains(All(), Point(name)) {
		return nil, fmt.Errorf("there is no point %.40q: want one of %v", name, All())
	}
	if action != exit && action != panics && action != hang {
		return nil, fmt.Errorf("%s: there is no action %.40q: want %s, %s or %s", name, action, exit, panics, hang)
	}
	t.point, t.action = Point(name), action
	if numbered {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s:%s: time %.40q: want a number of at least 1", name, action, number)
		}
		t.nth = n
	}
	return t, nil
}

// due reports whether the point is reached and its time has come. It is safe for concurrent use.
func (t *trigger) due(at Point) bool { return at == t.point && t.reached.Add(1) == t.nth }

func (t *trigger) atMost(bound int64) int64 {
	if t.bytes == 0 {
		return bound
	}
	return min(bound, t.bytes)
}

// String is what the trigger was made of.
func (t *trigger) String() string { return fmt.Sprintf("%s:%s:%d", t.point, t.action, t.nth) }
