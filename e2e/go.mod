module sluice/e2e

go 1.26

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/klauspost/compress v1.20.3
	github.com/stretchr/testify v1.12.1
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
