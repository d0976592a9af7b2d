package methods

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"plumbline/runs/compare"
)

// reference is a source, taken apart as far as BibTeX wants it.
type reference struct {
	key     string
	authors []string
	title   string
	where   string // venue, volume and what else follows the title
	year    string
	note    string // what follows the first source of a citation that names several
	url     string
}

// references is those of a section, each once.
type references struct {
	list []reference
	keys map[string]string // by the whole citation
}

// add takes a source in under a name and returns its key; "" where the text names none.
func (r *references) add(kind, name, citation, url string) string {
	text := strings.Join(strings.Fields(citation), " ")
	if text == "" || strings.HasPrefix(text, "none") {
		return ""
	}
	if key, ok := r.keys[text]; ok {
		return key
	}
	one := takeApart(text)
	one.key, one.url = kind+"-"+plainKey(name), url
	if r.keys == nil {
		r.keys = map[string]string{}
	}
	r.keys[text] = one.key
	r.list = append(r.list, one)
	return one.key
}

// plainKey is a name of letters, digits and hyphens.
func plainKey(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, name)
}

var yearIn = regexp.MustCompile(`\b(?:19|20)\d\d\b`)

// takeApart reads "A. Author, B. Author. Title. Venue year.", as data configs cite, and "Author, Author and Author,
// Title, venue, year", as models do.
func takeApart(text string) reference {
	var r reference
	for _, lead := range []string{"after ", "symbolic baseline of ", "baseline of "} {
		text = strings.TrimPrefix(text, lead)
	}
	if head, rest, ok := strings.Cut(text, "; "); ok && yearIn.MatchString(head) {
		text, r.note = head, rest
	}
	text = strings.TrimSuffix(text, ".")
	if years := yearIn.FindAllString(text, -1); years != nil {
		r.year = years[len(years)-1]
	}
	if parts := sentences(text); len(parts) > 1 {
		r.authors, r.title = names(strings.Split(parts[0], ", ")), parts[1]
		if !slices.ContainsFunc(r.authors, initialled.MatchString) { // a body
			r.authors = []string{"{" + parts[0] + "}"}
		}
		r.where = strings.Join(parts[2:], ". ")
		return r
	}
	parts := strings.Split(text, ", ")
	n := 0
	first, _, _ := strings.Cut(parts[0], " and ")
	initials := initialled.MatchString(first)
	for n < len(parts)-1 && isAuthor(parts[n], initials) {
		n++
		if strings.Contains(parts[n-1], " and ") {
			break
		}
	}
	r.authors = names(parts[:n])
	r.title, r.where = parts[n], strings.Join(parts[n+1:], ", ")
	return r
}

// sentences splits at full stops that end no initial.
func sentences(text string) (out []string) {
	for from, at := 0, 0; ; {
		k := strings.Index(text[at:], ". ")
		if k < 0 {
			return append(out, strings.TrimSpace(text[from:]))
		}
		at += k
		last, size := utf8.DecodeLastRuneInString(text[:at])
		before, _ := utf8.DecodeLastRuneInString(text[:at-size])
		if !unicode.IsUpper(last) || unicode.IsLetter(before) || unicode.IsDigit(before) {
			out = append(out, strings.TrimSpace(text[from:at]))
			from = at + 2
		}
		at += 2
	}
}

// names splits "Ting and Zhou" too.
func names(parts []string) (out []string) {
	for _, p := range parts {
		for _, one := range strings.Split(p, " and ") {
			if one = strings.TrimSpace(strings.TrimPrefix(one, "and ")); one != "" {
				out = append(out, one)
			}
		}
	}
	return out
}

// initialled is "L. Breiman", "A. van den Hengel", "K.-R. Müller" or "M. I. Jordan".
var initialled = regexp.MustCompile(`^(?:\p{Lu}\.[ -]?)+(?:-?\p{Lu}\. ?)*(?:\p{Ll}+ )*` +
	`\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)?$`)

// surname is one name without initials, "Van Driessen" too.
var surname = regexp.MustCompile(`^(?:[Vv]an |[Dd]e )*\p{Lu}[\p{L}'’-]+$`)

// isAuthor says whether a piece between commas names authors, where the first of the list has initials or not.
func isAuthor(piece string, initials bool) bool {
	form := surname
	if initials {
		form = initialled
	}
	for _, one := range strings.Split(piece, " and ") {
		if !form.MatchString(one) {
			return false
		}
	}
	return true
}

// whole is the reference as a line of text.
func (r *reference) whole() string {
	out := strings.NewReplacer("{", "", "}", "").Replace(strings.Join(r.authors, ", "))
	for _, part := range []string{r.title, r.where, r.note, r.url} {
		if part != "" && out != "" {
			out += ". "
		}
		out += part
	}
	return out
}

func (r *references) bibtex(b *strings.Builder) {
	for i := range r.list {
		one := &r.list[i]
		fmt.Fprintf(b, "@misc{%s,\n", one.key)
		for _, f := range [][2]string{{"author", strings.Join(one.authors, " and ")}, {"title", one.title},
			{"howpublished", one.where}, {"year", one.year}, {"note", one.note}} {
			if f[1] == "" {
				continue
			}
			if f[0] == "howpublished" { // the year stands below
				f[1] = strings.TrimRight(strings.TrimSuffix(f[1], one.year), " ,")
			}
			if f[1] == "" {
				continue
			}
			text := letters(compare.EscapeLatex(f[1]), f[1])
			switch {
			case f[0] == "title":
				text = "{" + text + "}" // keeps its capitals
			case f[0] == "author" && strings.HasPrefix(f[1], "{"):
				text = strings.NewReplacer(`\{`, "{", `\}`, "}").Replace(text) // one name, as it stands
			}
			fmt.Fprintf(b, "  %s = {%s},\n", f[0], text)
		}
		if one.url != "" {
			fmt.Fprintf(b, "  url = {%s},\n", strings.NewReplacer("{", "%7B", "}", "%7D", `\`, "%5C").Replace(one.url))
		}
		b.WriteString("}\n\n")
	}
}

// accents is letters of names that are in no font's first page, as LaTeX composes them.
var accents = map[rune]string{
	'ń': `{\'n}`, 'ć': `{\'c}`, 'ś': `{\'s}`, 'ł': `{\l}`, 'č': `{\v{c}}`, 'š': `{\v{s}}`, 'ž': `{\v{z}}`, 'ř': `{\v{r}}`,
	'ě': `{\v{e}}`, 'ő': `{\H{o}}`, 'ű': `{\H{u}}`, 'ę': `{\k{e}}`, 'ą': `{\k{a}}`, 'ğ': `{\u{g}}`, 'ş': `{\c{s}}`,
	'Š': `{\v{S}}`, 'Č': `{\v{C}}`, 'Ž': `{\v{Z}}`, 'Ł': `{\L}`, 'ν': `$\nu$`,
}

// letters puts accented letters in the places of the numbers that stand for them.
func letters(escaped, text string) string {
	for _, r := range text {
		if with, ok := accents[r]; ok {
			escaped = strings.ReplaceAll(escaped, fmt.Sprintf("[U+%04X]", r), with)
		}
	}
	return escaped
}
