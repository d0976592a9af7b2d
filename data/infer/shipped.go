package infer

import (
	"path"
	"slices"
	"strings"
	"sync"

	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/data/source"
)

// shippedConfig is a config that comes with the program.
type shippedConfig struct {
	name, base string
	config     *source.Config
}

// shippedConfigs are the data configs that come with the program. One that cannot be read is left out: tests read all.
var shippedConfigs = sync.OnceValue(func() (all []shippedConfig) {
	open := func(name string) (settings.Node, error) {
		file := path.Join("data", name+".yaml")
		raw, err := configs.Files.ReadFile(file)
		if err != nil {
			return settings.Node{}, err
		}
		return settings.Parse(file, raw)
	}
	files, err := configs.Files.ReadDir("data")
	if err != nil {
		return nil
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".yaml")
		doc, err := open(name)
		if err != nil {
			continue
		}
		base := ""
		if b, ok := doc.Get("base"); ok {
			base, _ = b.Scalar()
		}
		if doc, err = doc.Inherit(open); err != nil {
			continue
		}
		if c, err := source.DecodeConfig(doc); err == nil {
			all = append(all, shippedConfig{name, base, c})
		}
	}
	return all
})

// fitting are the shipped configs of a format that know nearly all columns of a file and of which the file lacks none
// that it needs: those that know the most of them. Where one names the file itself, it is that one; of a config and
// those that have it as their base, it is the base.
func fitting(format, file string, columns []string) []string {
	const least, most = 5, 6 // columns that a config must know to be told by them; configs that are worth naming
	has := map[string]bool{}
	for _, c := range columns {
		has[strings.ToLower(strings.TrimSpace(c))] = true
	}
	best := 0
	var found []shippedConfig
	for _, s := range shippedConfigs() {
		if s.config.Format != format {
			continue
		}
		known, lacks, needed := 0, 0, 0
		for _, c := range s.config.Known() {
			there := slices.ContainsFunc(c.Names, func(n string) bool { return has[strings.ToLower(n)] })
			if there {
				known++
			}
			if !c.Optional {
				if needed++; !there {
					lacks++
				}
			}
		}
		const nearly, few, enough = 0.8, 0.5, 10 // shares of the file's columns and of the config's; columns
		more, lack := s.config.ByName()
		fits := float64(known) >= nearly*float64(len(columns)) && float64(lacks) < few*float64(needed) &&
			(lacks == 0 || lack)
		among := more && lacks == 0 && needed >= enough // the file has more than the config reads
		if needed < least || !fits && !among || known < best {
			continue
		}
		if known > best {
			best, found = known, nil
		}
		found = append(found, s)
	}
	var names []string
	for _, s := range found {
		if slices.ContainsFunc(slices.Concat(s.config.Files.Train, s.config.Files.Test), func(pattern string) bool {
			is, _ := path.Match(path.Base(pattern), file)
			return is
		}) {
			return []string{s.name}
		}
		if !slices.ContainsFunc(found, func(o shippedConfig) bool { return o.name == s.base }) {
			names = append(names, s.name)
		}
	}
	if len(names) > most {
		names = names[:most]
	}
	return names
}

// sayShipped writes which shipped configs fit.
func sayShipped(b *strings.Builder, names []string) {
	switch len(names) {
	case 0:
	case 1:
		b.WriteString("# a shipped config reads these columns: " + names[0] + "\n")
	default:
		b.WriteString("# shipped configs read these columns: " + strings.Join(names, ", ") + "\n")
	}
}
