package bundle

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/flows"
	"plumbline/data/source"
)

// isCapture says whether a file is one of packets, by its name.
func isCapture(path string) bool {
	for _, packed := range []string{".gz", ".zst"} {
		path = strings.TrimSuffix(path, packed)
	}
	return strings.HasSuffix(path, ".pcap") || strings.HasSuffix(path, ".pcapng") || strings.HasSuffix(path, ".cap")
}

// captureConfig reads captures as flows in a tool's columns. Those that the model has as categories and the tool as
// numbers, such as ports, become categories. Packets with wrong checksums count: in captures of one's own machine those
// that it sent have them, as its network card makes the right ones.
func (b *Bundle) captureConfig(as string) (*source.Config, error) {
	info, err := flows.Lookup(as)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	var categories []string
	needed := b.Needed()
	for _, spec := range info.New().Columns() {
		if spec.Type == "number" && slices.ContainsFunc(needed, func(c Column) bool {
			return c.Type == data.Category && plain(c.Name) == plain(spec.Name)
		}) {
			categories = append(categories, fmt.Sprintf("%q", spec.Name))
		}
	}
	text := fmt.Sprintf("name: capture\nformat: pcap\nfiles: {train: [capture.pcap]}\n"+
		"options: {as: %s, checksums: false, categories: [%s]}\n", as, strings.Join(categories, ", "))
	doc, err := settings.Parse("capture", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return c, nil
}
