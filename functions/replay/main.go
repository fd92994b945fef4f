// Command replay is the Lambda function that sends again what was parked, on a schedule or when a person asks for it.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/internal/forward"
)

func main() {
	lambda.Start(forward.Replay(forward.FromEnvironment(context.Background())))
}
