package forward

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/config"
	"sluice/internal/deliver"
	"sluice/internal/secret"
)

func TestUnknownSiteWarns(t *testing.T) {
	r := newRig(t, datadogWith("site: mars1.datadoghq.com"))
	assert.Contains(t, r.log.String(), "not known to this version")
	assert.Contains(t, r.log.String(), "https://http-intake.logs.mars1.datadoghq.com/api/v2/logs")
	sentTo("POST https://http-intake.logs.mars1.datadoghq.com/api/v2/logs")(t, r)

	assert.Empty(t, newRig(t, datadogWith("site: datadoghq.eu")).log.String())
	assert.Empty(t, newRig(t, datadogWith(`site: mars1.datadoghq.com, url: "https://proxy.example.com"`)).log.String(), "not used")
}

// A certificate that the bundle vouches for is trusted, and no other: there is no way around the check.
func TestCABundle(t *testing.T) {
	var posts atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		posts.Add(1)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // refused handshakes are meant
	server.StartTLS()
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(bundle, text, 0o600))

	var clients []*http.Client
	wire := func(env map[string]string) *Forwarder {
		env["SLUICE_CONFIG"] = `{destinations: [{id: a, type: http, url: "` + server.URL + `/"}, {id: b, type: http, url: "` + server.URL + `/"}]}`
		cfg, err := config.Load(t.Context(), env, nil)
		require.NoError(t, err)
		f, err := build(t.Context(), cfg, world{
			client: func(o deliver.ClientOptions) (*http.Client, error) {
				client, err := deliver.NewClient(o)
				clients = append(clients, client)
				return client, err
			},
			now: time.Now, out: io.Discard,
		}, Function{})
		require.NoError(t, err)
		return f
	}
	_, err := CloudWatch(wire(map[string]string{"SLUICE_CA_BUNDLE": bundle})).Invoke(lambdaContext(t), direct(packed(t, document(t, "x"))))
	require.NoError(t, err)
	assert.EqualValues(t, 2, posts.Load(), "either destination trusts it")

	wire(map[string]string{})
	for _, client := range clients[2:] {
		_, err := client.Get(server.URL)
		var unknown x509.UnknownAuthorityError
		assert.ErrorAs(t, err, &unknown)
	}
	assert.EqualValues(t, 2, posts.Load())
}

func TestBundleThatWentAway(t *testing.T) {
	cfg, err := config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": httpWith("")}, nil)
	require.NoError(t, err)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	for bundle, want := range map[string]string{empty + ".gone": "no such file", empty: "no certificate"} {
		cfg.CABundle = bundle
		_, err := build(t.Context(), cfg, world{secrets: secret.NewStores(nil, nil), client: deliver.NewClient}, Function{})
		require.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "destination archive: ca_bundle: ")
	}
}

func TestBuildNamesTheDestination(t *testing.T) {
	cfg, err := config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": datadogWith("")}, nil)
	require.NoError(t, err)
	refused := errors.New("no client")
	outside := world{secrets: secret.NewStores(nil, nil), client: func(deliver.ClientOptions) (*http.Client, error) { return nil, refused }}
	_, err = build(t.Context(), cfg, outside, Function{})
	assert.ErrorIs(t, err, refused)
	assert.ErrorContains(t, err, "destination datadog: ")

	cfg.Destinations[0].Datadog.Site = "example.com/?"
	_, err = build(t.Context(), cfg, outside, Function{})
	assert.ErrorContains(t, err, "want a host name")

	cfg.Destinations[0].Datadog.Site, cfg.Destinations[0].CompressionLevel = "datadoghq.com", 99
	_, err = build(t.Context(), cfg, outside, Function{})
	assert.ErrorContains(t, err, "level 99")

	cfg, err = config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": httpWith("")}, nil)
	require.NoError(t, err)
	cfg.Destinations[0].CompressionLevel = 99
	_, err = build(t.Context(), cfg, outside, Function{})
	assert.ErrorContains(t, err, "destination archive: ")
	assert.ErrorContains(t, err, "level 99")
}

// Without its credentials a destination gets nothing, and the event is returned.
func TestSecretThatCannotBeRead(t *testing.T) {
	for name, settings := range map[string]string{
		"API key": `{destinations: [{id: d, type: datadog, api_key: "env:MISSING"}]}`,
		"header":  `{destinations: [{id: d, type: http, url: "https://logs.example.com/", headers: {A: "env:MISSING"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": settings, "MISSING": canary}, nil)
			require.NoError(t, err)
			r := &rig{intake: &intake{}, now: start}
			r.Forwarder, err = build(t.Context(), cfg, r.world(secret.NewStores(func(string) string { return "" }, nil)), Function{})
			require.NoError(t, err)
			_, ledger, err := r.invoke(t, CloudWatch, direct(packed(t, documentOf(t, "DATA_MESSAGE", "shop", "x"))))
			require.ErrorContains(t, err, "no_credentials")
			require.ErrorContains(t, err, "read env:MISSING: the environment variable is not set", "what to do about it")
			assert.Equal(t, 1, ledger.Destinations["d"].Returned["no_credentials"])
			assert.Empty(t, r.intake.got)
		})
	}
}

// store gives a secret after a time, and remembers who asked.
type store struct {
	mu    sync.Mutex
	asked []string
	after time.Duration
}

func (s *store) Fetch(_ context.Context, ref secret.Ref) (secret.Value, error) {
	s.mu.Lock()
	s.asked = append(s.asked, ref.String())
	s.mu.Unlock()
	time.Sleep(s.after)
	return secret.NewValue(apiKey), nil
}

// Secrets are fetched all at once while the rest is set up, and once: the first event waits for what is under way.
func TestSecretsAreFetchedAhead(t *testing.T) {
	const secrets = `{destinations: [
		{id: datadog, type: datadog, api_key: "ssm:/datadog/key"},
		{id: archive, type: http, url: "https://logs.example.com/", headers: {A: "ssm:/archive/a", B: "ssm:/archive/b"}}]}`
	synctest.Test(t, func(t *testing.T) {
		cfg, err := config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": secrets}, nil)
		require.NoError(t, err)
		s, i := &store{after: 3 * time.Second}, &intake{}
		begin := time.Now()
		f, err := build(t.Context(), cfg, world{
			secrets: s, client: func(deliver.ClientOptions) (*http.Client, error) { return &http.Client{Transport: i}, nil },
			now: time.Now, out: io.Discard, log: slog.New(slog.DiscardHandler),
		}, Function{})
		require.NoError(t, err)
		assert.Zero(t, time.Since(begin), "nobody waits")
		synctest.Wait()
		all := []string{"ssm:/datadog/key", "ssm:/archive/a", "ssm:/archive/b"}
		s.mu.Lock()
		assert.ElementsMatch(t, all, s.asked)
		s.mu.Unlock()

		time.Sleep(time.Second)
		_, err = CloudWatch(f).Invoke(lambdaContext(t), direct(packed(t, document(t, "x"))))
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, time.Since(begin), "the event waited for the rest of the time")
		assert.ElementsMatch(t, all, s.asked, "and nothing was asked twice")
		assert.Len(t, i.got, 2)
	})
}

// Batch ids hold the settings: the same ones give the same ids in every container, others give others.
func TestFingerprint(t *testing.T) {
	of := func(document string) string {
		cfg, err := config.Load(t.Context(), map[string]string{"SLUICE_CONFIG": document}, nil)
		require.NoError(t, err)
		return fingerprint(cfg)
	}
	usual := of(httpWith(`fields: {id: a, time: b, message: c, tags: d}`))
	for range 20 {
		assert.Equal(t, usual, of(httpWith(`fields: {tags: d, message: c, time: b, id: a}`)))
	}
	for _, other := range []string{httpWith(`fields: {id: a, time: b, message: c}`), httpWith("max_records: 7"), with("tags: a", httpWith("")), datadogWith("")} {
		assert.NotEqual(t, usual, of(other))
	}
	key := func(text string) string {
		return of(`{destinations: [{id: d, type: datadog, api_key: "plain:` + text + `"}]}`)
	}
	assert.Equal(t, key(canary), key(apiKey), "a secret is not in it")
}

func TestLimitMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	for _, megabytes := range []string{"", "many", "-"} {
		before := debug.SetMemoryLimit(-1)
		limitMemory(megabytes)
		assert.Equal(t, before, debug.SetMemoryLimit(-1), megabytes)
	}
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	limitMemory("2000")
	assert.Equal(t, int64(1700<<20), debug.SetMemoryLimit(-1))
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitMemory("100")
	assert.Equal(t, int64(1700<<20), debug.SetMemoryLimit(-1), "what the user says stands")
}

func TestCollectorFromTheFirstEvent(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	f := &Forwarder{gcPercent: eventGCPercent, now: time.Now}
	assert.True(t, f.wake())
	assert.Equal(t, eventGCPercent, debug.SetGCPercent(100))
	assert.False(t, f.wake())
	assert.Equal(t, 100, debug.SetGCPercent(100), "once")

	for given, want := range map[string]int{"": objectGCPercent, "80": 0} {
		t.Setenv("GOGC", given)
		t.Setenv("DD_API_KEY", apiKey)
		assert.Equal(t, want, ObjectsFromEnvironment(t.Context()).gcPercent, "what the user says stands")
	}
}
