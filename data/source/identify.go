package source

import (
	"errors"
	"fmt"

	"plumbline/data"
)

func (id Identity) check() error {
	switch {
	case (id.Part == "") == (id.Is == ""):
		return errors.New("needs either part, for a file of this data set, or is, for a foreign one")
	case id.Part != "" && (id.Rows == 0 || id.Columns > 0):
		return errors.New("a part is told by its rows alone")
	case (id.Rows == 0) == (id.Columns == 0):
		return errors.New("needs either rows or columns")
	}
	return nil
}

// identify says which part a file of n rows is, and what there is to say about it. Files of the data
// set under each other's names are read as what they are.
func (c *Config) identify(name string, rows int, part data.Part) (data.Part, string) {
	for _, id := range c.Identify {
		switch is := map[string]data.Part{"train": data.PartTrain, "test": data.PartTest}[id.Part]; {
		case id.Rows != rows || rows == 0:
		case id.Is != "":
			return part, fmt.Sprintf("%s: %s has the %d rows of %s", c.Name, name, rows, id.Is)
		case is != part:
			return is, fmt.Sprintf(
				"%s: %s has the %d rows of the %s file, under the other file's name: read as what it is",
				c.Name,
				name,
				rows,
				id.Part,
			)
		}
	}
	return part, ""
}

// foreign is what a file with n columns is known to be, as an addition to an error; "" where it is not.
func (c *Config) foreign(columns int) string {
	for _, id := range c.Identify {
		if id.Columns == columns && columns > 0 {
			return fmt.Sprintf("; %d columns are those of %s", columns, id.Is)
		}
	}
	return ""
}

// checkOrigins finds one file under two names, and a part that has no file left because what stood under
// its name was of the other part.
func (c *Config) checkOrigins(origins []data.Origin) error {
	var rows [2]int
	by := map[string]string{}
	for _, o := range origins {
		if first, twice := by[o.SHA256]; twice && o.SHA256 != "" {
			return fmt.Errorf(
				"data: %s: %s and %s are the same file under two names: its rows would be on both sides, or counted twice",
				c.Name,
				first,
				o.Name,
			)
		}
		by[o.SHA256] = o.Name
		rows[o.Part] += o.Rows
	}
	for _, p := range []struct {
		part  data.Part
		files []string
		name  string
		other string
	}{{data.PartTrain, c.Files.Train, "training", "test"}, {data.PartTest, c.Files.Test, "test", "training"}} {
		if rows[p.part] == 0 && len(p.files) > 0 && rows[1-p.part] > 0 {
			return fmt.Errorf(
				"data: %s: there is no %s file: %s, under its name, has the rows of the %s file",
				c.Name,
				p.name,
				p.files[0],
				p.other,
			)
		}
	}
	return nil
}
