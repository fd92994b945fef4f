// Package failpoint marks the steps after which something is durable, so that tests can end a function right there.
//
// In a usual build a point does nothing and costs nothing, and no variable is looked at. In one with the tag failpoint, two
// variables say what happens, and are taken out of the environment when the process starts: the settings know no such names.
//
//	SLUICE_FAILPOINT=<point>:<action>[:<n>]   when the point is reached for the n-th time in this process, or for the first:
//	                                          exit ends it with status 86, panic panics, hang never returns
//	SLUICE_FAILPOINT_BYTES=<n>                what AtMost lowers bounds to
//
// A point that acts says so in a line on the standard error, before anything else happens: a test that relies on it can tell
// that it was reached. A variable that cannot be read ends the process with status 87.
package failpoint

// Point is a place in the code.
type Point string

// The points, in the order in which an event passes them.
const (
	Decoded        Point = "decoded"         // an event was read to its end, and nothing has been answered
	Accepted       Point = "accepted"        // a destination has confirmed a batch
	BeforePark     Point = "before_park"     // something is about to be parked
	AfterPark      Point = "after_park"      // it is durable
	BeforeProgress Point = "before_progress" // a progress marker is about to be written
	AfterProgress  Point = "after_progress"
	BeforeContinue Point = "before_continue" // the rest of an object is about to be handed to the queue
	AfterContinue  Point = "after_continue"
	BeforeAnswer   Point = "before_answer" // all is durable, and AWS has not been told
	Leased         Point = "leased"        // replay has taken a parked object
	BeforeDelete   Point = "before_delete" // it has come to its end, and still lies there
	AfterDelete    Point = "after_delete"
)

// All are the points, in order.
func All() []Point {
	return []Point{
		Decoded, Accepted, BeforePark, AfterPark, BeforeProgress, AfterProgress, BeforeContinue, AfterContinue,
		BeforeAnswer, Leased, BeforeDelete, AfterDelete,
	}
}
