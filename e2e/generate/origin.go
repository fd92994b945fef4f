package generate

// origin is a log stream lines come from. Accounts and names are documentation values.
type origin struct {
	src    string // in the mark of its lines
	owner  string
	group  string
	stream string
	tail   string // what the service puts at the end of each message
}

var origins = []origin{
	{
		src: "lambda", owner: "123456789012",
		group: "/aws/lambda/orders", stream: "2026/02/01/[$LATEST]94fa867e5374431291a7fc14e2f56ae7", tail: "\n",
	},
	{
		src: "vpc", owner: "123456789012",
		group: "/aws/vpc/flow-logs", stream: "eni-0123456789abcdef0-all",
	},
	{
		src: "rds", owner: "111122223333",
		group: "/aws/rds/instance/shop-db/postgresql", stream: "shop-db.0",
	},
	{
		src: "eks", owner: "111122223333",
		group: "/aws/eks/shop/cluster", stream: "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
	},
	{
		src: "apigateway", owner: "123456789012",
		group: "API-Gateway-Execution-Logs_a1b2c3d4e5/prod", stream: "0123456789abcdef0123456789abcdef",
	},
	{
		src: "app", owner: "123456789012",
		group: "checkout", stream: "web/checkout/i-0123456789abcdef0",
	},
}
