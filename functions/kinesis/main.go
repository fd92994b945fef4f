// Command kinesis is the Lambda function behind the event source mapping of a Kinesis data stream.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/internal/forward"
)

func main() {
	lambda.Start(forward.Kinesis(forward.FromEnvironment(context.Background())))
}
