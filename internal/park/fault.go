package park

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// action is what S3 was asked for, in the words of messages.
type action string

const (
	parking  action = "park in"
	marking  action = "write"
	reading  action = "read"
	listing  action = "list"
	deleting action = "delete"
)

// explain says which bucket refused what, and what to do about it.
func (s *Store) explain(a action, key string, err error) error {
	return fmt.Errorf("%s s3://%s/%s: %w: %s", a, s.o.Bucket, key, err, s.advice(a, err))
}

func (s *Store) advice(a action, err error) string {
	status := statusOf(err)
	switch {
	case strings.HasPrefix(codeOf(err), "KMS."):
		return "see that the key which encrypts the bucket is enabled, and grant kms:GenerateDataKey and kms:Decrypt on it"
	case status == http.StatusForbidden:
		return s.grant(a) + "; a bucket of another account than expected is answered so too"
	case status == http.StatusNotFound:
		return "create the bucket, or correct its name in the settings"
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return "the bucket is in another region: it has to be in that of the function"
	case a == parking:
		return "nothing is parked: return the event"
	case a == deleting && status == http.StatusPreconditionFailed:
		return "another object has taken its place since it was listed: leave it to the next run"
	default:
		return "nothing has changed: try again later"
	}
}

func (s *Store) grant(a action) string {
	switch a {
	case reading:
		return fmt.Sprintf("grant s3:GetObject on %s/%s*, and kms:Decrypt on its key", s.o.Bucket, s.root)
	case listing:
		return fmt.Sprintf("grant s3:ListBucket on %s, with the prefix %s", s.o.Bucket, s.root)
	case deleting:
		return fmt.Sprintf("grant s3:DeleteObject and s3:GetObject on %s/%s*", s.o.Bucket, s.root)
	default:
		return fmt.Sprintf("grant s3:PutObject and s3:PutObjectTagging on %s/%s*, and kms:GenerateDataKey on its key", s.o.Bucket, s.root)
	}
}

// statusOf is the status of the answer that err is about; 0 when there was none.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// codeOf is S3's word for the error that err is about; empty when there is none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
