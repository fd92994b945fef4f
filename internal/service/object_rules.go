package service

import "strings"

// A keyRule gives the source and the log of the objects whose keys pass all the tests it has. Letter case does not matter.
type keyRule struct {
	folder string                          // a folder is called this
	part   string                          // the file name is <any>_<part>_<any>
	word   string                          // the key contains this
	name   string                          // the file name contains this
	file   string                          // the file name is this
	shape  func(folders, name string) bool // the folders and the file name have this shape
	about  string                          // the shape in words

	source  string
	service string // the name the logs go by; empty when the source says it all
	log     Log    // empty when the lines have no shape that is known
	notALog bool   // only the file name may tell: a folder may be a user's
}

// keyRules are tried from top to bottom; the first that holds decides.
var keyRules = []keyRule{
	// What services write to try out a bucket.
	{file: "aws-logs-write-test", source: sourceUnknown, notALog: true}, // export of a log group
	{file: "ELBAccessLogTestFile", source: "elb", notALog: true},
	{file: "ELBConnectionLogTestFile", source: "elb", notALog: true},
	{file: "ELBHealthCheckLogTestFile", source: "elb", notALog: true},
	{file: "ConfigWritabilityCheckFile", source: "config", notALog: true},

	// CloudTrail. Its documents of other kinds, each with a word of its own after the hyphen, have Records too.
	{part: "CloudTrail-Digest", source: "cloudtrail", log: CloudTrailDigest, notALog: true},
	{part: "CloudTrail-Insight", source: "cloudtrail", log: CloudTrailInsight},
	{folder: "CloudTrail-Insight", source: "cloudtrail", log: CloudTrailInsight},
	{part: "CloudTrail", source: "cloudtrail", log: CloudTrail},
	{folder: "CloudTrail", source: "cloudtrail", log: CloudTrail},
	{shape: isOtherTrail, about: "file name is `<account>_CloudTrail-<kind>_…`", source: "cloudtrail", log: CloudTrail},

	// Logs of the delivery service: …/<service>/… and <account>_<service>_<region>_….
	{folder: "vpcflowlogs", source: "vpc", log: VPCFlow},
	{folder: "aws-service=vpcflowlogs", source: "vpc", log: VPCFlow},
	{part: "vpcflowlogs", source: "vpc", log: VPCFlow},
	{folder: "vpcdnsquerylogs", source: "route53", log: Route53Resolver},
	{part: "vpcdnsquerylogs", source: "route53", log: Route53Resolver},
	{folder: "WAFLogs", source: "waf", log: WAF},
	{part: "waflogs", source: "waf", log: WAF},
	{word: "aws-waf-logs", source: "waf", log: WAF}, // the streams of Firehose that WAF writes to have to be called so
	{folder: "network-firewall", source: "network-firewall", log: NetworkFirewall},
	{part: "network-firewall", source: "network-firewall", log: NetworkFirewall},
	{folder: "globalaccelerator", source: sourceUnknownObject, service: acceleratorService, log: GlobalAccelerator},
	{part: "globalaccelerator", source: sourceUnknownObject, service: acceleratorService, log: GlobalAccelerator},
	{folder: "KafkaBrokerLogs", source: "msk", log: MSKBroker},
	{folder: "KafkaConnectLogs", source: "msk", log: MSKConnect},
	{folder: "GuardDuty", source: "guardduty", log: GuardDuty},
	{folder: "redshift", source: "redshift", log: Redshift},
	{part: "redshift", source: "redshift", log: Redshift},

	// Load balancers. What tells a Classic Load Balancer is that its name has no kind before it.
	{shape: isBalancerNamed("conn_log"), about: aboutBalancer + ", and a file name that starts with `conn_log`", source: "elb", log: ELBConnection},
	{shape: isBalancerNamed("health_check_log"), about: aboutBalancer + ", and a file name that starts with `health_check_log`", source: "elb", log: ELBHealthCheck},
	{shape: isBalancer, about: aboutBalancer, name: "_app.", source: "elb", log: ALB},
	{shape: isBalancer, about: aboutBalancer, name: "_net.", source: "elb", log: NLB},
	{shape: isBalancer, about: aboutBalancer, source: "elb", log: CLB},

	// AWS Config: a source as EventBridge has it, aws.config. A change too big for its notification is one object.
	{part: "Config", name: "_ConfigHistory_", source: "config", log: Config},
	{part: "Config", name: "_ConfigSnapshot_", source: "config", log: Config},
	{part: "Config", name: "_ChangeNotification_", source: "config"},

	{word: "amazon-apigateway-", source: "apigateway", log: APIGatewayAccess}, // as of WAF

	// Keys without a word that is the service's.
	{shape: isCloudFrontFile, about: "file name is `<distribution>.<yyyy-MM-dd-HH>.<id>.gz`", source: "cloudfront", log: CloudFront},
	{shape: isSpotFile, about: "file name is `<account>.<yyyy-MM-dd-HH>.<nnn>.<id>.gz`", source: "ec2", log: EC2Spot},
	{shape: isAccessLogFile, about: "file name ends with `<yyyy-MM-dd-HH-mm-ss>-<hex digits>`", source: sourceUnknownObject, log: S3Access},
	{shape: isExport, about: "object key ends with `<task>/<stream>/<nnnnnn>.gz`, of which the task is a UUID", source: sourceUnknown, log: CloudWatchExport},
}

// ruleOf returns the rule that decides for a key, nil when none does. A user's prefix, or the name of a firewall, may be
// the word of another service, so the folder that AWS calls by the service is tried alone before all folders are.
func ruleOf(key string) *keyRule {
	folders, name := splitName(key)
	if _, rest, ok := cutAccount(folders); ok {
		service := rest[:strings.IndexByte(rest, '/')+1]
		if r := firstRule(service, name); r != nil {
			return r
		}
	}
	return firstRule(folders, name)
}

func firstRule(folders, name string) *keyRule {
	for i := range keyRules {
		if keyRules[i].holds(folders, name) {
			return &keyRules[i]
		}
	}
	return nil
}

func (r *keyRule) holds(folders, name string) bool {
	return (r.folder == "" || hasFolder(folders, r.folder)) &&
		(r.part == "" || strings.EqualFold(secondPart(name), r.part)) &&
		(containsFold(folders, r.word) || containsFold(name, r.word)) &&
		containsFold(name, r.name) &&
		(r.file == "" || strings.EqualFold(name, r.file)) &&
		(r.shape == nil || r.shape(folders, name))
}

func hasFolder(folders, folder string) bool {
	_, ok := afterFolder(folders, folder)
	return ok
}

// secondPart returns what stands between the first two underscores of a file name.
func secondPart(name string) string {
	_, rest, _ := strings.Cut(name, "_")
	part, _, ok := strings.Cut(rest, "_")
	if !ok {
		return ""
	}
	return part
}

func isOtherTrail(_, name string) bool {
	kind, ok := cutPrefixFold(secondPart(name), "CloudTrail-")
	return ok && kind != ""
}

const aboutBalancer = "object key has a folder `elasticloadbalancing`, or a file name with `_elasticloadbalancing_`"

func isBalancer(folders, name string) bool {
	return hasFolder(folders, "elasticloadbalancing") || containsFold(name, "_elasticloadbalancing_")
}

// isBalancerNamed returns the shape of a load balancer's log of another kind, which its file name begins with. What
// separates it is an underscore or a dot.
func isBalancerNamed(kind string) func(folders, name string) bool {
	return func(folders, name string) bool {
		rest, ok := cutPrefixFold(name, kind)
		return ok && rest != "" && (rest[0] == '_' || rest[0] == '.') && isBalancer(folders, name)
	}
}

// isCloudFrontFile knows <distribution>.<yyyy>-<mm>-<dd>-<hh>.<id>.gz.
// Source: CloudFront developer guide, "Standard logging", file name format.
func isCloudFrontFile(_, name string) bool {
	const minID, maxID = 10, 20 // 13 and 14 are known
	distribution, rest, ok := strings.Cut(name, ".")
	return ok && len(distribution) >= minID && len(distribution) <= maxID && only(distribution, isUpperOrDigit) &&
		endsHour(rest)
}

// isSpotFile knows <account>.<yyyy>-<mm>-<dd>-<hh>.<nnn>.<id>.gz.
// Source: EC2 user guide, "Track your Spot Instance costs using the Spot Instance data feed".
func isSpotFile(_, name string) bool {
	const hour, file = "dddd-dd-dd-dd", ".ddd." // outlines
	account, rest, ok := strings.Cut(name, ".")
	if !ok || len(account) != accountDigits || !isAccount(account) || !matches(rest, hour) {
		return false
	}
	rest = rest[len(hour):]
	if !matches(rest, file) {
		return false
	}
	id, ok := strings.CutSuffix(rest[len(file):], ".gz")
	return ok && only(id, isLetterOrDigit)
}

// endsHour knows <yyyy>-<mm>-<dd>-<hh>.<id>.gz.
func endsHour(s string) bool {
	const hour = "dddd-dd-dd-dd." // an outline
	if !matches(s, hour) {
		return false
	}
	id, ok := strings.CutSuffix(s[len(hour):], ".gz")
	return ok && only(id, isLetterOrDigit)
}

// isAccessLogFile knows <prefix><yyyy>-<mm>-<dd>-<hh>-<mm>-<ss>-<ID>. The prefix need not end in a slash.
// Source: S3 user guide, "Logging requests with server access logging", log object key format.
func isAccessLogFile(_, name string) bool {
	const second = "dddd-dd-dd-dd-dd-dd" // an outline
	at := strings.LastIndexByte(name, '-')
	return at >= len(second) && matches(name[at-len(second):], second) && only(name[at+1:], isUpperHexDigit)
}

// isExport knows <prefix>/<task>/<stream>/<nnnnnn>.gz, a log group exported to S3. The task is a UUID.
// Source: CloudWatch Logs user guide, "Exporting log data to Amazon S3".
func isExport(folders, name string) bool {
	const file = "dddddd.gz" // an outline
	if len(name) != len(file) || !matches(name, file) {
		return false
	}
	folders, stream := lastFolder(folders)
	_, task := lastFolder(folders)
	return stream != "" && isUUID(task)
}

func isUUID[T string | []byte](s T) bool {
	const outline = "????????-????-????-????-????????????"
	if len(s) != len(outline) || !matches(s, outline) {
		return false
	}
	for i := range len(s) {
		if outline[i] == '?' && !isHexDigit(s[i]) {
			return false
		}
	}
	return true
}

func isUpperOrDigit(c byte) bool { return isDigit(c) || 'A' <= c && c <= 'Z' }

func isUpperHexDigit(c byte) bool { return isDigit(c) || 'A' <= c && c <= 'F' }

func isLetterOrDigit(c byte) bool { return isUpperOrDigit(c) || isLower(c) }
