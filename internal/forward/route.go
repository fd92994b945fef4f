package forward

import (
	"fmt"

	"sluice/internal/config"
	"sluice/internal/lines"
)

// routes say how lines of objects are joined. The last one holds for every object.
type routes []route

// route is for the objects whose bucket and key match.
type route struct {
	bucket, key string // patterns in which * stands for any text; empty for all
	joiner      *lines.Joiner
}

func routesOf(cfg *config.Config) (routes, error) {
	list := make(routes, 0, len(cfg.Routes)+1)
	for i, r := range cfg.Routes {
		joiner, err := joinerOf(r.Multiline)
		if err != nil {
			return nil, fmt.Errorf("routes[%d].multiline_start: %w", i, err)
		}
		list = append(list, route{bucket: r.Bucket, key: r.Key, joiner: joiner})
	}
	joiner, err := joinerOf(cfg.Multiline)
	if err != nil {
		return nil, fmt.Errorf("multiline_start: %w", err)
	}
	return append(list, route{joiner: joiner}), nil
}

// joinerOf returns nil when every line is a record.
func joinerOf(m config.Multiline) (*lines.Joiner, error) {
	if m.Start == "" {
		return nil, nil //nolint:nilnil // no joiner is what is asked for
	}
	start, err := lines.CompileStart(m.Start)
	if err != nil {
		return nil, fmt.Errorf("multiline: %w", err)
	}
	return &lines.Joiner{Start: start, MaxLines: m.MaxLines, MaxBytes: m.MaxBytes}, nil
}

// joiner is that of the first route that an object matches.
func (list routes) joiner(bucket, key string) *lines.Joiner {
	for _, r := range list {
		if (r.bucket == "" || matchesStar(r.bucket, bucket)) && (r.key == "" || matchesStar(r.key, key)) {
			return r.joiner
		}
	}
	return nil
}
