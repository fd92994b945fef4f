package config

import "slices"

const (
	wantOwners = "ids of accounts, each of 12 digits: a list, or separated by commas"

	maxOwners = 1000 // a variable holds some three hundred
)

// ownerSetting returns the setting of whose logs are taken.
func ownerSetting() setting[Config] {
	return setting[Config]{
		key: "allowed_owners", variables: variables("SLUICE_ALLOWED_OWNERS"), otherwise: "every account: one stream gathers those of many",
		kind: ownerList(),
		meaning: "The accounts whose logs are taken. A payload of CloudWatch Logs names the account that owns its log group, whatever " +
			"way it comes; lines of another account are dropped and counted (`not_allowed_source`), those of a payload without " +
			"an account too. Logs that are no such payloads are not looked at: `buckets` says whose objects are read.",
	}
}

// ownerList reads "123456789012,210987654321" or a list of such texts.
func ownerList() kind[Config] {
	return kind[Config]{wantOwners, func(c *Config, f field) {
		var owners []string
		eachText(f, wantOwners, func(item field, text string) {
			switch {
			case !isAccount(text):
				item.wantInstead(quote(text), wantOwners)
			case len(owners) == maxOwners:
				f.failTooMany(maxOwners+1, "accounts or more", maxOwners)
			case !slices.Contains(owners, text):
				owners = append(owners, text)
			}
		})
		if f.shape() == aList && len(f.items()) == 0 {
			f.fail("is empty, which would allow every account: want " + wantOwners + ", or leave it out")
		}
		c.AllowedOwners = owners
	}}
}
