// Package notify spells the announcements of objects as AWS does: S3's own event, its wrappings by SNS and EventBridge,
// and the requests of S3 Batch Operations.
//
// It promises the member names, the escaping of keys and the nesting of each path. It is pure. What travels through a
// queue is the body of a message (package envelope wraps a batch): S3 to SQS and SNS with raw delivery is Native, S3 to
// SNS to SQS is SNSBody(Native), EventBridge to SQS is EventBridge.
//
// Formats: Amazon S3 user guide, "Event message structure" and "Invoke AWS Lambda function"; Amazon SNS developer guide,
// "Parsing Amazon SNS message formats"; Amazon EventBridge user guide, "Amazon S3".
package notify

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"sluice/e2e/stack"
)

// Object is an object as its announcement names it.
type Object struct {
	Bucket    string
	Key       string // as it is; every shape escapes it in its own way
	Size      int64
	ETag      string // without quotes
	VersionID string // "" in a bucket without versions
	Sequencer string // hexadecimal, grows with every event of a key
	Time      time.Time
}

const (
	millisLayout  = "2006-01-02T15:04:05.000Z" // S3 and SNS
	secondsLayout = "2006-01-02T15:04:05Z"     // EventBridge
	requestID     = "C3D13FE58DE4C810"
	hostID        = "exampleHostIdWithAPlus+AndASlash/AndPadding="
	sourceAddress = "192.0.2.10"
)

type record struct {
	Version  string `json:"eventVersion"`
	Source   string `json:"eventSource"`
	Region   string `json:"awsRegion"`
	Time     string `json:"eventTime"`
	Name     string `json:"eventName"`
	Identity struct {
		Principal string `json:"principalId"`
	} `json:"userIdentity"`
	Request struct {
		Address string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		ID   string `json:"x-amz-request-id"`
		Host string `json:"x-amz-id-2"`
	} `json:"responseElements"`
	S3 entity `json:"s3"`
}

type entity struct {
	Version       string `json:"s3SchemaVersion"`
	Configuration string `json:"configurationId"`
	Bucket        struct {
		Name  string `json:"name"`
		Owner struct {
			Principal string `json:"principalId"`
		} `json:"ownerIdentity"`
		ARN string `json:"arn"`
	} `json:"bucket"`
	Object struct {
		Key       string `json:"key"`
		Size      *int64 `json:"size,omitempty"`
		ETag      string `json:"eTag,omitempty"`
		VersionID string `json:"versionId,omitempty"`
		Sequencer string `json:"sequencer,omitempty"`
	} `json:"object"`
}

// Native is S3's own event: the objects were put. S3 sends one of them an event.
func Native(objects ...Object) []byte { return Named("ObjectCreated:Put", objects...) }

// Removed is S3's own event: the objects were deleted.
func Removed(objects ...Object) []byte { return Named("ObjectRemoved:Delete", objects...) }

// Named is S3's own event of any name, without the prefix "s3:". Only created objects have a size and an ETag.
func Named(event string, objects ...Object) []byte {
	out := struct {
		Records []record `json:"Records"`
	}{make([]record, len(objects))}
	for i, o := range objects {
		r := &out.Records[i]
		r.Version, r.Source, r.Region = "2.1", "aws:s3", stack.Region
		r.Time, r.Name = o.Time.UTC().Format(millisLayout), event
		r.Identity.Principal = "AWS:AROAEXAMPLEID:log-writer"
		r.Request.Address = sourceAddress
		r.Response.ID, r.Response.Host = requestID, hostID
		r.S3 = describe(o, strings.HasPrefix(event, "ObjectCreated:"))
	}
	return encode(out)
}

func describe(o Object, created bool) entity {
	e := entity{Version: "1.0", Configuration: "to-sluice"}
	e.Bucket.Name, e.Bucket.ARN = o.Bucket, bucketARN(o.Bucket)
	e.Bucket.Owner.Principal = "A3NL1KOZZKExample"
	e.Object.Key, e.Object.VersionID, e.Object.Sequencer = FormKey(o.Key), o.VersionID, o.Sequencer
	if created {
		e.Object.Size, e.Object.ETag = &o.Size, o.ETag
	}
	return e
}

// FormKey is a key the way S3 writes it into events: form-encoded, with its slashes as they are.
func FormKey(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") // an escaped "%2F" of the key reads "%252F"
}

// TestEvent is what S3 sends when a notification is set up.
func TestEvent(bucket string, at time.Time) []byte {
	return encode(struct {
		Service, Event, Time, Bucket string
		RequestID                    string `json:"RequestId"`
		HostID                       string `json:"HostId"`
	}{"Amazon S3", "s3:TestEvent", at.UTC().Format(millisLayout), bucket, requestID, hostID})
}

// EventBridge is the event of an object that was put. Its key is not escaped.
func EventBridge(o Object) []byte {
	e := bridged("Object Created", "PutObject", o)
	e.Detail.Object.Size, e.Detail.Object.ETag = &o.Size, o.ETag
	return encode(e)
}

// EventBridgeRemoved is the event of an object that was deleted.
func EventBridgeRemoved(o Object) []byte {
	e := bridged("Object Deleted", "DeleteObject", o)
	e.Detail.Deletion = "Permanently Deleted"
	return encode(e)
}

type bridgeEvent struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     struct {
		Version string `json:"version"`
		Bucket  struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			Size      *int64 `json:"size,omitempty"`
			ETag      string `json:"etag,omitempty"`
			VersionID string `json:"version-id,omitempty"`
			Sequencer string `json:"sequencer,omitempty"`
		} `json:"object"`
		RequestID string `json:"request-id"`
		Requester string `json:"requester"`
		Address   string `json:"source-ip-address"`
		Reason    string `json:"reason"`
		Deletion  string `json:"deletion-type,omitempty"`
	} `json:"detail"`
}

func bridged(detailType, reason string, o Object) bridgeEvent {
	e := bridgeEvent{
		Version: "0", ID: uuid(detailType + o.Bucket + o.Key + o.Sequencer), DetailType: detailType, Source: "aws.s3",
		Account: stack.Account, Time: o.Time.UTC().Format(secondsLayout), Region: stack.Region,
		Resources: []string{bucketARN(o.Bucket)},
	}
	d := &e.Detail
	d.Version, d.Bucket.Name = "0", o.Bucket
	d.Object.Key, d.Object.VersionID, d.Object.Sequencer = o.Key, o.VersionID, o.Sequencer
	d.RequestID, d.Requester, d.Address, d.Reason = requestID, stack.Account, sourceAddress, reason
	return e
}

func bucketARN(bucket string) string { return "arn:aws:s3:::" + bucket }

// encode writes JSON the way AWS does: <, > and & stand as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings and numbers always encode
	return bytes.TrimRight(b.Bytes(), "\n")
}
