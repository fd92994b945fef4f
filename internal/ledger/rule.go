package ledger

// Rule is the stable name of a reason to drop a line on purpose. Dashboards and alarms use these names. The list is
// closed (delivery contract R8): there is no other way for a line to go missing on purpose.
type Rule string

// The rules.
const (
	FilterExclude     Rule = "filter_exclude"     // a filter of the configuration leaves the line out
	FilterSampled     Rule = "filter_sampled"     // sampling left the line out
	RouteDrop         Rule = "route_drop"         // a route of the configuration leaves the line out
	RouteElsewhere    Rule = "route_elsewhere"    // a route sends the line to other destinations than this one
	AgentNoMatch      Rule = "agent_no_match"     // a LOGTOJSON does not match the line, and agentStrict is set
	ControlMessage    Rule = "control_message"    // CloudWatch Logs tested the subscription
	OwnLogGroup       Rule = "own_log_group"      // the line is our own output; sending it would loop
	OwnStoreObject    Rule = "own_store_object"   // the object is part of our own park store
	S3TestEvent       Rule = "s3_test_event"      // S3 tested the notification
	NotObjectCreated  Rule = "not_object_created" // the notification tells of something else than a new object
	NotAllowedSource  Rule = "not_allowed_source" // account, stream or bucket is not on the allow-list
	SourceGone        Rule = "source_gone"        // the object was deleted before it was read
	SourceOverwritten Rule = "source_overwritten" // the object was replaced; its own event follows
	EmptyLine         Rule = "empty_line"         // a line, a record or an object of zero length
	NotALog           Rule = "not_a_log"          // a digest, a manifest, or a file that a service writes to test its permission
	HeaderLine        Rule = "header_line"        // names of columns, file header or comment of the format
	DestRejected      Rule = "dest_rejected"      // partial success that does not say which records were refused
	TooOld            Rule = "too_old"            // older than the destination takes; only where the user asks for it
)

// Reasons of returning that are no trouble: the lines have been handed on to where they come from again by themselves. They
// have a metric of their own.
const (
	Continued  = "continued"  // the rest of an object went through the queue
	Reingested = "reingested" // a record went back into its delivery stream
)
