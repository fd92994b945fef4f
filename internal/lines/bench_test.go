package lines

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// albLines are lines as a load balancer writes them, about 450 bytes each.
func albLines(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var out []byte
	for range n {
		out = fmt.Appendf(out, `https 2024-02-01T00:00:%02d.%06dZ app/shop/50dc6c495c0c9188 192.0.2.%d:%d 198.51.100.%d:80 `+
			`0.086 0.048 0.037 200 200 %d 57 "GET https://www.example.com:443/cart/%x HTTP/1.1" "curl/8.4.0" `+
			`ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 `+
			`"Root=1-58337281-%024x" "www.example.com" "-" 1 2024-02-01T00:00:00.000000Z "forward" "-" "-" "198.51.100.7:80" "200" "-" "-"`+"\n",
			random.IntN(60), random.IntN(1e6), random.IntN(256), random.IntN(65536), random.IntN(256), random.IntN(5000),
			random.Uint64(), random.Uint64())
	}
	return out
}

// jsonLines are 400-byte lines of an application.
func jsonLines(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"order", "shipped", "to", "customer", "with", "status", "pending", "after", "retry", "of", "payment"}
	var out []byte
	for range n {
		line := fmt.Appendf(nil, `{"level":"info","time":"2024-02-01T00:00:00.%03dZ","requestId":"6234bffe-149a-b642-81ff-%012x","logger":"shop.orders"`,
			random.IntN(1000), random.Uint64()>>16)
		for key := 0; len(line) < 300; key++ {
			line = fmt.Appendf(line, `,"%s_%d":"%s"`, words[random.IntN(len(words))], key, words[random.IntN(len(words))])
		}
		line = fmt.Appendf(line, `,"attempt":%d,"cached":%t,"msg":"`, random.IntN(100), random.IntN(2) == 0)
		for len(line) < 390 {
			line = append(append(line, words[random.IntN(len(words))]...), ' ')
		}
		out = append(out, line...)
		out = append(out, "\"}\n"...)
	}
	return out
}

// cloudTrail is a document with n events of about 1.4 kB.
func cloudTrail(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	out := []byte(`{"Records":[`)
	for i := range n {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%08X:app",`+
			`"arn":"arn:aws:sts::123456789012:assumed-role/shop/app","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE%08X",`+
			`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/shop",`+
			`"accountId":"123456789012","userName":"shop"},"attributes":{"creationDate":"2024-02-01T00:00:00Z","mfaAuthenticated":"false"}}},`+
			`"eventTime":"2024-02-01T00:00:%02dZ","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1",`+
			`"sourceIPAddress":"192.0.2.%d","userAgent":"[aws-sdk-go-v2/1.30 os/linux lang/go#1.22 md/GOOS#linux md/GOARCH#arm64]",`+
			`"requestParameters":{"bucketName":"example-bucket","Host":"example-bucket.s3.us-east-1.amazonaws.com","key":"orders/%016x.json"},`+
			`"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256",`+
			`"bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"EXAMPLE%032x","bytesTransferredOut":%d},`+
			`"requestID":"EXAMPLE%016X","eventID":"6234bffe-149a-b642-81ff-%012x","readOnly":true,"resources":[{"type":"AWS::S3::Object",`+
			`"ARN":"arn:aws:s3:::example-bucket/orders"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333"}`,
			random.Uint32(), random.Uint32(), random.IntN(60), random.IntN(256), random.Uint64(), random.Uint64(), random.IntN(1e6),
			random.Uint64(), random.Uint64()>>16)
	}
	return append(out, "]}"...)
}

// measurePieces takes all pieces of data, again and again. The source hands out 32 KiB a read, as decompressors do.
func measurePieces(b *testing.B, data []byte, open func(w *Window) func() (Piece, error)) {
	b.Helper()
	var w Window
	src := bytes.NewReader(data)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(data)
		w.Reset(struct{ io.Reader }{src})
		next := open(&w)
		for {
			if _, err := next(); err != nil {
				require.Equal(b, io.EOF, err)
				break
			}
		}
	}
}

func BenchmarkLine(b *testing.B) {
	measurePieces(b, albLines(20_000), func(w *Window) func() (Piece, error) { return w.Line })
}

func BenchmarkValue(b *testing.B) {
	data := jsonLines(20_000)
	b.Run("window", func(b *testing.B) {
		measurePieces(b, data, func(w *Window) func() (Piece, error) { return w.Value })
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			for line := range bytes.Lines(data) {
				if !json.Valid(line) {
					b.Fatal("not valid")
				}
			}
		}
	})
}

func BenchmarkElement(b *testing.B) {
	measurePieces(b, cloudTrail(5000), func(w *Window) func() (Piece, error) {
		e, ok := w.Envelope("Records")
		require.True(b, ok)
		return e.Element
	})
}

func BenchmarkDocument(b *testing.B) {
	data := cloudTrail(5000)
	var w Window
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	buf := make([]byte, 32<<10)
	for b.Loop() {
		w.Reset(bytes.NewReader(data))
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, w.Document(), buf)
		require.NoError(b, err)
	}
}

func BenchmarkScan(b *testing.B) {
	line := bytes.TrimSuffix(jsonLines(1), []byte("\n"))
	for name, text := range map[string][]byte{"line": line, "event": cloudTrail(1)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if n, p := scan(text); p != sound || n != len(text) {
					b.Fatal(n, p)
				}
			}
		})
		b.Run(name+" json.Valid", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !json.Valid(text) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
