// Command function is a Lambda function that does what its event says. The stack's own tests run it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Do    string `json:"do"`
	Bytes int    `json:"bytes"`
}

func main() {
	if os.Getenv("FAIL_INIT") != "" {
		os.Exit(3)
	}
	lambda.Start(obey)
}

func obey(ctx context.Context, o order) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	line := map[string]any{"FunctionName": lambdacontext.FunctionName, "request_id": lc.AwsRequestID, "LinesIn": 1}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return nil, err
	}
	switch o.Do {
	case "fail":
		return nil, errors.New("asked to fail")
	case "panic":
		panic("asked to panic")
	case "exit":
		os.Exit(1)
	case "hang":
		time.Sleep(time.Hour)
	case "large":
		return strings.Repeat("x", o.Bytes), nil
	case "grow":
		block := make([]byte, o.Bytes)
		for i := range block {
			block[i] = byte(i)
		}
		return len(block), nil
	}
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"pid":       os.Getpid(),
		"arn":       lc.InvokedFunctionArn,
		"remaining": time.Until(deadline).Milliseconds(),
		"memory":    lambdacontext.MemoryLimitInMB,
		"settings":  fmt.Sprint(os.Getenv("SETTING")),
		"traced":    os.Getenv("_X_AMZN_TRACE_ID") != "" || ctx.Value("x-amzn-trace-id") != nil,
	}, nil
}
