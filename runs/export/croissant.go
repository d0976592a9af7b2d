package export

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"path"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/runs/bundle"
)

// croissantContext is the context of Croissant 1.0 (http://mlcommons.org/croissant/1.0).
func croissantContext() map[string]any {
	c := map[string]any{
		"@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
		"cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
		"dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo",
		"data":     map[string]string{"@id": "cr:data", "@type": "@json"},
		"dataType": map[string]string{"@id": "cr:dataType", "@type": "@vocab"},
		"examples": map[string]string{"@id": "cr:examples", "@type": "@json"},
	}
	for _, term := range []string{"citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet",
		"format", "includes",
		"isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
		"repeated", "replace", "separator", "source", "subField", "transform"} {
		c[term] = "cr:" + term
	}
	return c
}

type node = map[string]any

// Croissant writes the data card of a model's data set as JSON-LD of Croissant 1.0: its files with their hashes, and
// its columns, as the run read them.
func Croissant(w io.Writer, b *bundle.Bundle) error {
	p := b.Provenance
	if p == nil {
		return ErrUndescribed
	}
	cfg := b.Config()
	format := croissantFormat(cfg.Format)
	var files []any
	var ids []any
	for i, f := range hashed(p.Data.Files) {
		id := fmt.Sprintf("file-%d", i+1)
		object := node{
			"@type": "cr:FileObject", "@id": id, "name": path.Base(f.Name), "description": fmt.Sprintf("%d rows", f.Rows),
			"contentSize": fmt.Sprintf("%d B", f.Bytes), "encodingFormat": encoding(f.Name, format), "sha256": f.SHA256,
			"contentUrl": path.Base(f.Name),
		}
		for _, d := range cfg.Fetch {
			if path.Base(d.File) == path.Base(strings.TrimSuffix(strings.TrimSuffix(f.Name, ".gz"), ".zst")) {
				object["contentUrl"] = d.URL
			}
		}
		files = append(files, object)
		ids = append(ids, node{"@id": id})
	}
	set := node{
		"@context": croissantContext(), "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
		"name": b.Data, "description": croissantText(cfg.Doc, p), "isLiveDataset": false, "version": "1.0.0",
		"datePublished": p.Trained.UTC().Format("2006-01-02"), "distribution": files,
	}
	for key, v := range map[string]string{"license": cfg.Licence, "citeAs": cfg.Citation, "url": cfg.URL} {
		if v != "" {
			set[key] = v
		}
	}
	if len(files) > 1 {
		id := "files"
		files = append(files, node{"@type": "cr:FileSet", "@id": id, "name": "all files", "containedIn": ids,
			"encodingFormat": format, "includes": "*"})
		set["distribution"] = files
		set["recordSet"] = []any{recordSet(b, node{"fileSet": node{"@id": id}})}
	} else if len(files) == 1 {
		set["recordSet"] = []any{recordSet(b, node{"fileObject": node{"@id": "file-1"}})}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(set)
}

// croissantText is what a reader of the card should know.
func croissantText(doc string, p *bundle.Provenance) string {
	d := p.Data
	text := []string{strings.TrimSpace(doc), fmt.Sprintf("As plumbline read it: %s; %d rows could not be read. Hashes "+
		"are those of the uncompressed content of files.", d.Labelled(), d.BadRows)}
	text = append(text, d.Warnings...)
	if d.Audit != "" {
		text = append(text, d.Audit)
	}
	return strings.TrimSpace(strings.Join(text, "\n"))
}

// recordSet is the columns, and where each comes from.
func recordSet(b *bundle.Bundle, from node) node {
	var fields []any
	add := func(name, about, kind string, source node) {
		fields = append(fields, node{
			"@type": "cr:Field", "@id": "rows/" + name, "name": name, "description": about, "dataType": kind,
			"source": source,
		})
	}
	made := derived(b)
	for _, c := range b.Columns {
		source := node{"extract": node{"column": c.Name}}
		for k, v := range from {
			source[k] = v
		}
		about := fmt.Sprintf("%v", c.Type)
		if slices.Contains(made, c.Name) {
			about += ", made by plumbline from other columns"
		}
		add(c.Name, about, croissantType(c.Type), source)
	}
	if l := b.Config().Label; l.Column != "" && !slices.ContainsFunc(b.Columns, func(c data.Field) bool {
		return c.Name == l.Column
	}) {
		source := node{"extract": node{"column": l.Column}}
		for k, v := range from {
			source[k] = v
		}
		add(l.Column, "the truth: benign are "+strings.Join(l.Benign, ", "), "sc:Text", source)
	}
	return node{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "description": "one row of traffic each, such " +
		"as a flow, a connection or a log line", "field": fields}
}

// derived are the columns that no file has.
func derived(b *bundle.Bundle) (names []string) {
	for i := range b.Config().Derive {
		names = append(names, b.Config().Derive[i].Name)
	}
	return names
}

func croissantType(t data.ColumnType) string {
	switch t {
	case data.Number:
		return "sc:Float"
	case data.Time:
		return "sc:DateTime"
	}
	return "sc:Text"
}

// croissantFormat is the media type of files of a format.
func croissantFormat(format string) string {
	switch format {
	case "delimited":
		return "text/csv"
	case "ndjson", "suricata":
		return "application/x-ndjson"
	case "parquet":
		return "application/vnd.apache.parquet"
	case "zeek":
		return "text/tab-separated-values"
	case "pcap":
		return "application/vnd.tcpdump.pcap"
	}
	return "application/octet-stream"
}

// encoding is the media type of a file: that of its compression, or of the format.
func encoding(name, format string) string {
	switch ext := path.Ext(name); ext {
	case ".gz":
		return "application/gzip"
	case ".zst":
		return "application/zstd"
	case ".xz":
		return "application/x-xz"
	default:
		if format == "application/octet-stream" {
			if known, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil && known != "" {
				return known
			}
		}
	}
	return format
}
