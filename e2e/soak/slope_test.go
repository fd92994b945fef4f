package main

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// grown is a life of so many seconds whose memory starts at 40 MiB and grows by so many MiB a minute, with noise of an MiB
// that has no direction.
func grown(name string, seconds int, mibPerMinute float64) *life {
	l := &life{name: name}
	for i := range seconds {
		noise := float64(i%5-2) / 2
		size := 40 + mibPerMinute*float64(i)/60 + noise
		l.samples = append(l.samples, sample{
			at: time.Minute + time.Duration(i)*time.Second, rssBytes: int64(math.Round(size * (1 << 20))), files: 12 + i%7, threads: 8,
		})
	}
	return l
}

func TestTrend(t *testing.T) {
	for name, tc := range map[string]struct {
		samples []sample
		want    float64
	}{
		"flat":          {grown("f/1", 100, 0).samples, 0},
		"a leak":        {grown("f/1", 100, 3).samples, 3},
		"shrinking":     {grown("f/1", 100, -2).samples, -2},
		"one moment":    {grown("f/1", 1, 9).samples, 0},
		"none":          {nil, 0},
		"a moment only": {[]sample{{rssBytes: 1 << 20}, {rssBytes: 5 << 20}, {rssBytes: 9 << 20}}, 0},
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, tc.want, trendOf(tc.samples).slope, 0.1) })
	}
}

// TestTrendKnowsWhatItCannotTell compares the error that is told with the one that is made: processes that do not grow at
// all and breathe by an MiB, for as long as they take to breathe.
func TestTrendKnowsWhatItCannotTell(t *testing.T) {
	for _, seconds := range []int{60, 300} {
		const lives = 200
		random := rand.New(rand.NewPCG(1, uint64(seconds)))
		var told, made, wrong float64
		for range lives {
			l := &life{}
			level := 0.0
			for i := range seconds {
				if i%int(breath.Seconds()) == 0 {
					level = random.NormFloat64()
				}
				l.samples = append(l.samples, sample{at: time.Duration(i) * time.Second, rssBytes: int64((40 + level) * (1 << 20))})
			}
			got := trendOf(l.samples)
			told += got.within / lives
			made += got.slope * got.slope / lives
			if got.atLeast() > 0 {
				wrong++
			}
		}
		assert.InEpsilon(t, math.Sqrt(made), told, 0.35, "%d s", seconds)
		assert.Less(t, wrong/lives, 0.2, "%d s", seconds)
	}
	assert.Less(t, trendOf(grown("f/1", 300, 0).samples).within, trendOf(grown("f/1", 60, 0).samples).within)
	assert.Greater(t, trendOf(grown("f/1", 100, 5).samples).atLeast(), maxSlope)
}

func TestRise(t *testing.T) {
	files := func(counts ...int) []sample {
		var list []sample
		for _, n := range counts {
			list = append(list, sample{files: n})
		}
		return list
	}
	of := func(s sample) int { return s.files }
	assert.Equal(t, 0, rise(files(9, 30, 9, 9, 40, 9), of), "what comes and goes")
	assert.Equal(t, 3, rise(files(9, 10, 11, 12, 13, 14), of), "what is never given back")
	assert.Equal(t, -2, rise(files(9, 9, 7, 7), of))
	assert.Equal(t, 0, rise(files(9), of))
}

func TestJudge(t *testing.T) {
	p := newPace(3 * time.Minute)
	for name, tc := range map[string]struct {
		lives  []*life
		judged int
		of     string
	}{
		"nobody lived long enough":         {[]*life{grown("a/1", 80, 50)}, 0, ""},
		"the steepest counts":              {[]*life{grown("a/1", 100, 0.2), grown("b/1", 100, 4), grown("c/1", 100, -1)}, 3, "b"},
		"the steepest may go down":         {[]*life{grown("a/1", 100, -2), grown("b/1", 100, -1)}, 2, "b"},
		"a short life with a leak beside":  {[]*life{grown("a/1", 80, 90), grown("b/1", 100, 0)}, 1, "b"},
		"what many tell counts more":       {[]*life{grown("a/1", 100, 0), grown("a/2", 300, 4), grown("b/1", 100, 3)}, 3, "a"},
		"a life without samples is no one": {[]*life{{name: "a/1"}}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := judge(tc.lives, p)
			assert.Equal(t, tc.judged, m.judged)
			assert.Equal(t, tc.of, m.of)
			functions := map[string]bool{}
			for _, l := range tc.lives {
				if span(l.after(p.warmUp)) >= p.steady {
					functions[l.function()] = true
				}
			}
			assert.Len(t, m.rows, tc.judged+len(functions))
		})
	}
	m := judge(nil, p)
	assert.Equal(t, "unknown", m.slopeText())
}

func TestWarmUpDoesNotCount(t *testing.T) {
	l := grown("a/1", 120, 0)
	for i := range 15 { // it fills its heap
		l.samples[i].rssBytes = int64(10+2*i) << 20
	}
	assert.Greater(t, trendOf(l.samples).slope, maxSlope)
	m := judge([]*life{l}, newPace(3*time.Minute))
	assert.InDelta(t, 0, m.trend.slope, 0.2)
}

func TestSampleOfAProcess(t *testing.T) {
	s, ok := sampleOf(os.Getpid())
	require.True(t, ok)
	assert.Greater(t, s.rssBytes, int64(1<<20))
	assert.GreaterOrEqual(t, s.files, 3)
	assert.Positive(t, s.threads)
	assert.GreaterOrEqual(t, ownPeak(), s.rssBytes/2)

	_, ok = sampleOf(1 << 30)
	assert.False(t, ok, "nobody has this number")
}

func TestChildren(t *testing.T) {
	ours := exec.CommandContext(t.Context(), "sleep", "60")
	ours.Env = []string{lifeName + "=a/1", "PATH=/usr/bin:/bin"}
	other := exec.CommandContext(t.Context(), "sleep", "60")
	for _, cmd := range []*exec.Cmd{ours, other} {
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}

	assert.Equal(t, map[int]string{ours.Process.Pid: "a/1"}, children(os.Getpid()))

	w := newWatch()
	w.sample()
	w.sample()
	require.Len(t, w.all(), 1)
	assert.Equal(t, "a/1", w.all()[0].name)
	assert.Len(t, w.all()[0].samples, 2)
}
