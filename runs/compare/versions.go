package compare

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/runs/record"
)

// versionWarnings is what runs of one data set differ in though their test units may be the same: files of one name
// with other content, and other training rows in front of the same model.
func versionWarnings(cells []member, records []*record.Record) (out []string) {
	var names []string
	sums := map[string][]string{}
	for i, rec := range records {
		if !slices.ContainsFunc(cells, func(m member) bool { return m.run == i }) {
			continue
		}
		set, _ := rec.Manifest.DataSet(cells[0].Data)
		for _, f := range set.Files {
			if f.SHA256 == "" {
				continue
			}
			if sums[f.Name] == nil {
				names = append(names, f.Name)
			}
			if sum := fmt.Sprintf("%.8s…", f.SHA256); !slices.Contains(sums[f.Name], sum) {
				sums[f.Name] = append(sums[f.Name], sum)
			}
		}
	}
	for _, name := range names {
		if len(sums[name]) > 1 {
			out = append(out, fmt.Sprintf("the runs read %s with other content (SHA-256 %s): versions of the data differ",
				name, strings.Join(sums[name], ", ")))
		}
	}
	if labels := otherTraining(cells); labels != nil {
		out = append(out, fmt.Sprintf("the runs trained %s on other rows (train_sha256), judged on the same",
			strings.Join(labels, ", ")))
	}
	return out
}

// otherTraining is the labels that saw the same test rows in two runs, and other training rows.
func otherTraining(cells []member) (labels []string) {
	type place struct{ label, fold, test string }
	first := map[place]*member{}
	for i := range cells {
		m := &cells[i]
		if m.Status != record.OK || m.TrainSHA256 == "" || m.TestSHA256 == "" {
			continue
		}
		at := place{m.Label, m.Fold, m.TestSHA256}
		switch was := first[at]; {
		case was == nil:
			first[at] = m
		case was.run != m.run && was.TrainSHA256 != m.TrainSHA256 && !slices.Contains(labels, m.Label):
			labels = append(labels, m.Label)
		}
	}
	return labels
}
