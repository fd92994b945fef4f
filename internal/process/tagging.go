package process

import (
	"cmp"
	"slices"
	"strings"

	"sluice/internal/record"
)

// tagsOf gives the tags of an origin in the order of the Datadog Forwarder, and settles the service: that of the route, that
// of a service tag of the function that wrote the log, of the first service tag of all others, what the log says, the
// source. A tag is a service tag if it is one by the name that TagRules will give it. There is one, and it says the same.
//
// The order is: tags of the bucket, of the settings, of the route, our own, of the log group, of the function.
func (p *Processor) tagsOf(o *record.Origin) record.Tags {
	var route Route
	if p.plan.route != nil {
		route = *p.plan.route
	}
	list := make(record.Tags, 0, len(p.found.bucket)+len(p.rules.Tags)+len(route.Tags)+len(p.found.group)+len(p.found.function)+8)
	list = append(append(append(list, p.found.bucket...), p.rules.Tags...), route.Tags...)
	if p.rules.ForwarderName != "" {
		list = append(list, record.Tag{Key: "forwardername", Value: strings.ToLower(p.rules.ForwarderName)})
	}
	list = append(list, record.Tag{Key: "forwarder_version", Value: p.rules.ForwarderVersion})
	if p.sourceRule() != "" {
		list = append(list, record.Tag{Key: "source_overridden", Value: "true"})
	}
	list = append(list, p.found.group...)

	rules := &p.rules.TagRules
	configured, list := rules.oneService(list)
	own, function := rules.oneService(slices.Clone(p.found.function))
	place := p.placeOf(o)
	placed := rules.serviceIn(place)
	o.Service = cmp.Or(route.Service, own, configured, placed, p.identity.Service, o.Source)
	if p.identity.Function == "" {
		list = append(list, place...)
	} else {
		if configured != "" {
			function = slices.DeleteFunc(function, rules.isService)
		}
		if configured == "" && own == "" && placed == "" {
			place = append(place, record.Tag{Key: "service", Value: o.Service})
		}
		list = appendFunction(list, place, function)
	}
	rules.setService(list, o.Service)
	return list
}

// placeOf returns the tags that say where the log of an origin was written, in their order as texts.
func (p *Processor) placeOf(o *record.Origin) record.Tags {
	var place record.Tags
	if isAccount(o.Owner) {
		place = append(place, record.Tag{Key: "aws_account", Value: o.Owner})
	}
	if p.identity.Function == "" {
		return place
	}
	return append(place, record.Tag{Key: "functionname", Value: p.identity.Function}, record.Tag{Key: "region", Value: o.Region})
}

// appendFunction appends what is known of the function that wrote a log, sorted as texts: where it is, which is sorted
// already, and its own tags.
func appendFunction(list, place, function record.Tags) record.Tags {
	if hasEnv(function) {
		list = withoutPlaceholder(list)
	} else if _, has := list.Get("env"); !has {
		list = append(list, record.Tag{Key: "env", Value: "none"})
	}
	start := len(list)
	list = append(list, place...)
	if len(function) == 0 {
		return list
	}
	list = append(list, function...)
	slices.SortFunc(list[start:], func(a, b record.Tag) int { return strings.Compare(a.String(), b.String()) })
	return slices.Concat(list[:start], slices.Compact(list[start:]))
}

// hasEnv reports whether tags name an environment.
func hasEnv(list record.Tags) bool {
	return slices.ContainsFunc(list, func(tag record.Tag) bool { return tag.Key == "env" && tag.Value != "" })
}

// renamed is the key that a tag is sent with.
func (r *TagRules) renamed(tag record.Tag) string {
	if name, has := r.Rename[tag.Key]; has {
		return name
	}
	return tag.Key
}

// isService reports whether a tag names a service once it is renamed; a bare word does not.
func (r *TagRules) isService(tag record.Tag) bool {
	return tag.Value != "" && r.renamed(tag) == "service"
}

// serviceIn returns the service that tags name first, "" when they name none.
func (r *TagRules) serviceIn(list record.Tags) string {
	if i := slices.IndexFunc(list, r.isService); i >= 0 {
		return list[i].Value
	}
	return ""
}

// setService gives the first tag that names a service this name.
func (r *TagRules) setService(list record.Tags, name string) {
	if i := slices.IndexFunc(list, r.isService); i >= 0 {
		list[i].Value = name
	}
}

// oneService returns the service that tags name first, "" when they name none, and tags without any further one. The tags
// given are overwritten.
func (r *TagRules) oneService(list record.Tags) (name string, rest record.Tags) {
	rest = slices.DeleteFunc(list, func(tag record.Tag) bool {
		if !r.isService(tag) {
			return false
		}
		first := name == ""
		if first {
			name = tag.Value
		}
		return !first
	})
	return name, rest
}

// apply returns the tags that the rules leave; tags itself when there is no rule. Of those that name a service, the first is
// left.
func (r *TagRules) apply(list record.Tags) record.Tags {
	if len(r.Rename)+len(r.Allow)+len(r.Deny)+r.Max == 0 {
		return list
	}
	kept := make(record.Tags, 0, len(list))
	named := false
	for _, tag := range list {
		service := r.isService(tag)
		tag.Key = r.renamed(tag)
		if len(r.Allow) > 0 && !anyStands(r.Allow, tag.Key) || anyStands(r.Deny, tag.Key) || named && service {
			continue
		}
		named = named || service
		if kept = append(kept, tag); len(kept) == r.Max {
			break
		}
	}
	return kept
}

func anyStands(patterns []string, key string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return standsFor(pattern, key) })
}

// standsFor reports whether a pattern, in which * stands for any text, stands for all of text.
func standsFor(pattern, text string) bool {
	head, pattern, wild := strings.Cut(pattern, "*")
	if !wild {
		return head == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok {
		var middle string
		if middle, pattern, wild = strings.Cut(pattern, "*"); !wild {
			return strings.HasSuffix(text, middle)
		}
		_, text, ok = strings.Cut(text, middle)
	}
	return false
}
