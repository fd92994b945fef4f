package service

import "strings"

// sourceUnknownObject is the source of an object that neither its key nor its content tells.
const sourceUnknownObject = "s3"

// Object is what an S3 object's key and first bytes say about who wrote it.
type Object struct {
	// Source is the AWS service, such as "elb"; never empty, "s3" when it is not known and for S3's own access logs.
	Source string
	// Service is the name the logs go by; empty when nothing better than Source is known.
	Service string
	// Log is the shape of the lines, "" when it is not known.
	Log Log
	// Account and Region are those of the service that wrote the log, as the key has them; "" when it does not. The log of
	// a global service may have no region.
	Account, Region string
	// NotALog says that AWS wrote the object for itself, to sign logs or to try out the bucket. It holds nothing to forward:
	// for certain if the key says so (Key.NotALog), else if the object holds nothing but the document that it begins with.
	NotALog bool
}

// FromObject tells who wrote an S3 object: by its key, and only if that does not tell, by its content. key is decoded, not
// as S3 notifications have it. head is the beginning of the plain content, of which up to 64 KiB are looked at; it may end
// anywhere, and is nil when the caller has none. FromObject keeps neither and changes neither.
//
// Letter case in the fixed words of keys does not matter, nor what stands before them. The objects of failed Firehose
// deliveries have keys much like those of logs; callers look for them first.
func FromObject(key string, head []byte) Object {
	k := ForKey(key)
	return k.Object(head)
}

// Key is a key that several contents have, such as the name of a stream: what it says is looked up once.
type Key struct {
	key  string
	rule *keyRule // nil when the content decides
	last Object   // that of the last content, with the place that the key tells for its log
}

// ForKey looks a key up.
func ForKey(key string) Key { return Key{key: key, rule: ruleOf(key)} }

// NotALog reports whether the key alone says that an object is no log, so that what its first bytes look like does not
// matter.
func (k *Key) NotALog() bool { return k.rule != nil && k.rule.notALog }

// Object is FromObject of the key and this content. It is not safe for concurrent use.
func (k *Key) Object(head []byte) Object {
	var o Object
	if r := k.rule; r != nil {
		o = Object{Source: r.source, Service: r.service, Log: r.log, NotALog: r.notALog}
	} else {
		o.Source, o.Service, o.Log = sniffObject(head)
		o.NotALog = o.Log == CloudTrailDigest
	}
	if o.Source == "" {
		o.Source = sourceUnknownObject
	}
	if k.last.Source == "" || k.last.Log != o.Log {
		o.Account, o.Region = placeOf(k.key, o.Log)
		k.last = o
	}
	o.Account, o.Region = k.last.Account, k.last.Region
	return o
}

// placeOf returns the account and the region that a key names. Names that a user chose may look like either, so they are
// taken only from where AWS puts them:
//
//	…/AWSLogs/[o-<organization>/]<account>/<service>/<region>/…
//	…/AWSLogs/aws-account-id=<account>/aws-service=<service>/aws-region=<region>/…
//	…<account>_<service>_<region>_…                     the file name, where a user has moved the log
//	…<account>/<region>/<bucket>/<yyyy>/<mm>/<dd>/…     S3 access logs, date-based partitioning
//	…<account>.<yyyy>-<mm>-<dd>-<hh>.<n>.<id>.gz        Spot Instance data feed
func placeOf(key string, log Log) (account, region string) {
	folders, name := splitName(key)
	if account, region = placeOfFolders(folders); account != "" {
		return account, region
	}
	switch log {
	case S3Access:
		return placeOfPartition(folders)
	case EC2Spot:
		if account, _, _ = strings.Cut(name, "."); !isAccount(account) {
			account = ""
		}
		return account, ""
	default:
		return placeOfName(name)
	}
}

// placeOfFolders reads the folders that AWS makes.
func placeOfFolders(folders string) (account, region string) {
	account, rest, ok := cutAccount(folders)
	if !ok {
		return "", ""
	}
	service, rest, _ := strings.Cut(rest, "/")
	if strings.EqualFold(service, "network-firewall") {
		_, rest, _ = strings.Cut(rest, "/") // alert, flow or tls
	}
	region, _, _ = strings.Cut(rest, "/")
	if region = hiveValue(region, "aws-region="); !isRegion(region) {
		region = ""
	}
	return account, region
}

// cutAccount finds the account below the last folder called AWSLogs. What it returns as rest begins with the service.
func cutAccount(folders string) (account, rest string, ok bool) {
	rest, ok = afterFolder(folders, "AWSLogs")
	if !ok {
		return "", "", false
	}
	account, rest, _ = strings.Cut(rest, "/")
	if strings.HasPrefix(account, "o-") {
		account, rest, _ = strings.Cut(rest, "/")
	}
	account = hiveValue(account, "aws-account-id=")
	return account, rest, isAccount(account)
}

// placeOfName reads a file name: <account>_<service>_<region>_….
func placeOfName(name string) (account, region string) {
	account, rest, _ := strings.Cut(name, "_")
	_, rest, ok := strings.Cut(rest, "_")
	if !ok || !isAccount(account) {
		return "", ""
	}
	if region, _, _ = strings.Cut(rest, "_"); !isRegion(region) {
		region = ""
	}
	return account, region
}

// placeOfPartition reads the folders of a date-partitioned access log from their end. The bucket's prefix for such logs
// need not end in a slash, so the account may stand behind other text.
func placeOfPartition(folders string) (account, region string) {
	const below = "/dddd/dd/dd/" // an outline
	at := len(folders) - len(below)
	if at < 0 || !matches(folders[at:], below) {
		return "", ""
	}
	rest, _ := lastFolder(folders[:at+1]) // the source bucket
	rest, region = lastFolder(rest)
	rest = strings.TrimSuffix(rest, "/")
	account = rest[max(len(rest)-accountDigits, 0):]
	if !isRegion(region) || len(account) != accountDigits || !isAccount(account) {
		return "", ""
	}
	return account, region
}

// accountDigits is the length of an account's number. Examples of AWS are known to lose a digit.
const accountDigits = 12

func isAccount(s string) bool {
	return (len(s) == accountDigits || len(s) == accountDigits-1) && only(s, isDigit)
}

// isRegion knows the names of regions, present and future: eu-west-1, us-gov-east-1, eusc-de-east-1.
func isRegion(s string) bool {
	area, rest, ok := strings.Cut(s, "-")
	if !ok || len(area) < 2 || len(area) > 4 || !only(area, isLower) {
		return false
	}
	words := strings.LastIndexByte(rest, '-')
	if words < 0 || !only(rest[words+1:], isDigit) {
		return false
	}
	for word := range strings.SplitSeq(rest[:words], "-") {
		if !only(word, isLower) {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// hiveValue returns the value of a folder that may be called <name>=<value>.
func hiveValue(folder, name string) string {
	if value, ok := cutPrefixFold(folder, name); ok {
		return value
	}
	return folder
}

// splitName cuts a key behind its last slash.
func splitName(key string) (folders, name string) {
	at := strings.LastIndexByte(key, '/') + 1
	return key[:at], key[at:]
}

// lastFolder cuts the last folder off; the folders before it keep their slash.
func lastFolder(folders string) (before, folder string) {
	return splitName(strings.TrimSuffix(folders, "/"))
}

// afterFolder returns what follows the last folder of this name.
func afterFolder(folders, name string) (rest string, ok bool) {
	for at := len(folders) - len(name) - 1; at >= 0; at-- {
		if isFolder(folders, at, name) {
			return folders[at+len(name)+1:], true
		}
	}
	return "", false
}

// isFolder reports whether a folder of this name stands at this byte of a key.
func isFolder(key string, at int, name string) bool {
	end := at + len(name)
	return end < len(key) && key[end] == '/' && (at == 0 || key[at-1] == '/') && strings.EqualFold(key[at:end], name)
}
