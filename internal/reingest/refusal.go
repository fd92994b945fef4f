package reingest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sluice/internal/awsenv"
)

// isBusy reports whether a refused call may be taken a moment later. The Caller has made it again already for some of
// these; the waits here are longer.
func isBusy(refusal *awsenv.APIError) bool {
	switch refusal.Code {
	case "ServiceUnavailableException", "InternalFailure", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		return true
	}
	return strings.Contains(refusal.Code, "Throttl") || refusal.Status == http.StatusTooManyRequests ||
		refusal.Status >= http.StatusInternalServerError
}

// explain puts in front of a refusal what a person can do about it: the end of a long message may be cut off.
func (s stream) explain(err error) error {
	refusal, refused := errors.AsType[*awsenv.APIError](err)
	if !refused {
		return err
	}
	advice := s.advice(refusal.Code)
	if advice == "" {
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}

// turnOff is what is left to do about a stream that takes nothing back.
const turnOff = "set SLUICE_FIREHOSE_REINGEST to false"

// advice is what a person can do about a refusal; empty for one that may be gone the next time. InvalidSourceException is
// seen, and not documented; the others are in the API references, "PutRecordBatch" and "PutRecords".
func (s stream) advice(code string) string {
	switch code {
	case "InvalidSourceException":
		return "the stream decompresses its records, so nothing can be put back: " + turnOff
	case "InvalidArgumentException", "ValidationException":
		return "the stream does not take these records: " + turnOff
	case "ResourceNotFoundException":
		return "check that the stream is in the region and the account of its ARN"
	case "AccessDeniedException", "AccessDenied", "KMSAccessDeniedException", "InvalidKMSResourceException":
		return "allow the role " + s.api.permission + " on " + s.arn +
			", and kms:GenerateDataKey when a key of your own encrypts the stream"
	case "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired":
		return "check the key that encrypts the stream"
	}
	return ""
}
