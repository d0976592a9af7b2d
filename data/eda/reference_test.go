package eda

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

// section decodes one of its objects.
func section[T any](t *testing.T, raw map[string]json.RawMessage, name string) (out T) {
	t.Helper()
	if err := json.Unmarshal(raw[name], &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

// kddTrain is KDDTrain+ packed.
func kddTrain(t *testing.T, o Options) *Collector {
	t.Helper()
	dir := datatest.Dir(t, "nsl-kdd")
	cfg, err := sourcetest.File(t, "../../configs/data/nsl-kdd.yaml").TrainingFiles()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := Read(t.Context(), cfg, source.Finder{Dirs: []string{dir}}, All, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestReference: what scipy 1.10.1, statsmodels 0.13.5 and pandas 1.5.3 say of KDDTrain+, to 1e-8 relative and P values
// by their logarithms.
func TestReference(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "kddtrain-plus.json"))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	c := kddTrain(t, Options{Workers: 2})
	rep, err := c.Report(t.Context(), Request{})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	near := func(what string, got Number, want float64) {
		t.Helper()
		if checked++; !(math.Abs(float64(got)-want) <= 1e-8*math.Abs(want)) {
			t.Errorf("%s: %.13g, want %.13g", what, float64(got), want)
		}
	}
	// a P value that the reference has as 0 is below what float64 holds
	log := func(what string, got Number, p float64) {
		t.Helper()
		if p == 0 {
			if checked++; !(float64(got) < math.Log(1e-300)) {
				t.Errorf("%s: log P %v, want one that no float64 has", what, float64(got))
			}
			return
		}
		near(what+", log P", got, math.Log(p))
	}
	if got := section[int](t, raw, "rows"); got != rep.Rows || section[int](t, raw, "anomalous") != rep.Attacks {
		t.Fatalf("%d rows, %d attacks", rep.Rows, rep.Attacks)
	}
	features, questions := map[string]*Feature{}, map[string]*Question{}
	for _, f := range rep.Features {
		features[f.Name] = f
	}
	for _, pair := range []string{"duration ~ label", "flag ~ label"} {
		q, err := c.ask(pair)
		if err != nil {
			t.Fatal(err)
		}
		questions[pair] = q
	}
	for _, q := range rep.Questions {
		questions[q.Pair] = q
	}
	for _, name := range []string{"src_bytes", "dst_bytes", "duration"} {
		q := questions[name+" ~ label"]
		for scale, prefix := range map[string]string{"": "t_", ", log scale": "t_log1p_"} {
			w := section[map[string]float64](t, raw, prefix+name)
			of := func(test string) Outcome {
				i := slices.IndexFunc(q.Tests, func(o Outcome) bool { return o.Name == test })
				if i < 0 {
					t.Fatalf("%s has no test %q", name, test)
				}
				return q.Tests[i]
			}
			at := name + scale
			near(at+" t", of("Student"+scale).Statistic, w["t"])
			log(at+" t", of("Student"+scale).LogP, w["p"])
			near(at+" Welch", of("Welch"+scale).Statistic, w["welch_t"])
			near(at+" Welch df", of("Welch"+scale).DF, w["welch_df"])
			log(at+" Welch", of("Welch"+scale).LogP, w["welch_p"])
			near(at+" F", of("ANOVA"+scale).Statistic, w["anova_F"])
			log(at+" F", of("ANOVA"+scale).LogP, w["anova_p"])
			near(at+" Levene", of("Levene"+scale).Statistic, w["levene_W"])
			log(at+" Levene", of("Levene"+scale).LogP, w["levene_p"])
			near(at+" U", of("Mann–Whitney").Statistic, w["mwu_U"])
			log(at+" U", of("Mann–Whitney").LogP, w["mwu_p"])
			near(at+" D", of("Kolmogorov–Smirnov").Statistic, w["ks_D"])
			log(at+" D", of("Kolmogorov–Smirnov").LogP, w["ks_p"])
			near(at+" H", of("Kruskal–Wallis").Statistic, w["kruskal_H"])
			log(at+" H", of("Kruskal–Wallis").LogP, w["kruskal_p"])
			i := slices.IndexFunc(q.Effects, func(e Effect) bool { return e.Name == "Cohen's d"+scale })
			near(at+" d", q.Effects[i].Value, w["cohen_d"])
			if scale == "" {
				near(at+" mean", features[name].Benign.Mean, w["mean0"])
				near(at+" mean", features[name].Attack.Mean, w["mean1"])
				near(at+" sd", features[name].Benign.SD, w["sd0"])
				near(at+" sd", features[name].Attack.SD, w["sd1"])
			}
		}
	}
	for name, column := range map[string]string{"chi2_protocol_type": "protocol_type", "chi2_service": "service",
		"chi2_flag": "flag"} {
		w := section[map[string]any](t, raw, name)
		q := questions[column+" ~ label"]
		near(name, q.Tests[0].Statistic, w["chi2"].(float64))
		near(name+" df", q.Tests[0].DF, w["dof"].(float64))
		near(name+" V", q.Effects[0].Value, w["cramers_v"].(float64))
		near(name+" V of the feature", features[column].V, w["cramers_v"].(float64))
		log(name, q.Tests[0].LogP, w["p"].(float64))
	}
	sectionLogistic(t, raw, questions, near, log)
	for name, w := range section[map[string]struct {
		Mean, SD, Skew, Kurt float64
		Quantiles            []float64
		IQR                  int `json:"iqr_outliers"`
		Z3                   int `json:"z3_outliers"`
		Distinct             int
	}](t, raw, "eda") {
		f := features[name]
		near(name+" mean", f.All.Mean, w.Mean)
		near(name+" sd", f.All.SD, w.SD)
		near(name+" skewness", f.All.Skewness, w.Skew)
		near(name+" kurtosis", f.All.Kurtosis, w.Kurt)
		for k, q := range w.Quantiles {
			near(name+" quantile", f.All.Quantiles[k], q)
		}
		if f.Outliers.Fences != w.IQR || f.Outliers.Deviations != w.Z3 || f.Distinct != w.Distinct {
			t.Errorf("%s: %d and %d outliers, %d values, want %d, %d, %d", name, f.Outliers.Fences, f.Outliers.Deviations,
				f.Distinct, w.IQR, w.Z3, w.Distinct)
		}
	}
	for name, m := range map[string]*Matrix{"pearson": rep.Pearson, "spearman": rep.Spearman} {
		w := section[struct {
			Cols []string
			R    [][]float64
		}](t, raw, name)
		for i, a := range w.Cols {
			for j, b := range w.Cols {
				near(name+" "+a+" "+b, m.R[slices.Index(m.Columns, a)][slices.Index(m.Columns, b)], w.R[i][j])
			}
		}
	}
	for name, r := range section[map[string]float64](t, raw, "point_biserial") {
		m := rep.Pearson
		near("point-biserial "+name, m.R[slices.Index(m.Columns, name)][slices.Index(m.Columns, "attack")], r)
	}
	if checked < 300 {
		t.Errorf("%d numbers were compared", checked)
	}
	fiveAnswers(t, questions)
}

// sectionLogistic is the logistic models of the reference.
func sectionLogistic(t *testing.T, raw map[string]json.RawMessage, questions map[string]*Question,
	near, log func(string, Number, float64)) {
	t.Helper()
	flag, urgent := questions["label ~ flag"], questions["label ~ urgent > 0"]
	if flag == nil || urgent == nil {
		t.Fatal("flag and urgent packets are not asked about")
	}
	test := func(q *Question, name string) Outcome {
		return q.Tests[slices.IndexFunc(q.Tests, func(o Outcome) bool { return o.Name == name })]
	}
	w := section[map[string]any](t, raw, "logit_flag_error")
	near("flag other than SF, odds ratio", flag.Effects[0].Value, w["odds_ratio"].(float64))
	near("low", flag.Effects[0].Low, w["or_lo"].(float64))
	near("high", flag.Effects[0].High, w["or_hi"].(float64))
	near("LR", test(flag, "likelihood ratio, other than the base").Statistic, w["lr_chi2"].(float64))
	near("z", test(flag, "Wald, other than the base").Statistic, w["z"].(float64))
	w = section[map[string]any](t, raw, "logit_urgent")
	term := urgent.Logistic[1]
	near("urgent β", term.Beta, w["beta"].(float64))
	near("urgent SE", term.SE, w["se"].(float64))
	near("urgent odds ratio", term.OddsRatio.Value, w["odds_ratio"].(float64))
	near("urgent low", term.OddsRatio.Low, w["or_lo"].(float64))
	near("urgent high", term.OddsRatio.High, w["or_hi"].(float64))
	log("urgent", term.LogP, w["p"].(float64))
	near("urgent intercept", urgent.Logistic[0].Beta, w["intercept"].(float64))
	// the reference's likelihood of the constant stops 1.6e-6 short of its maximum; these are of mpmath with 30 digits
	near("urgent LR", test(urgent, "likelihood ratio").Statistic, 0.64694021036511077)
	near("urgent LR, log P", test(urgent, "likelihood ratio").LogP, -0.864626693999436)
	log("urgent Fisher", test(urgent, "Fisher, exact").LogP, w["fisher_p"].(float64))
	near("urgent Yates", test(urgent, "χ², Yates").Statistic, w["yates_chi2"].(float64))
	log("urgent Yates", test(urgent, "χ², Yates").LogP, w["yates_p"].(float64))
	near("urgent χ²", test(urgent, "χ²").Statistic, w["pearson_chi2"].(float64))
	levels := section[struct {
		Levels    []string
		Beta, SE  []float64
		Intercept float64
		LR        float64 `json:"lr_chi2"`
	}](t, raw, "logit_flag_levels")
	near("flag intercept", flag.Logistic[0].Beta, levels.Intercept)
	near("flag LR", test(flag, "likelihood ratio").Statistic, levels.LR)
	for i, level := range levels.Levels {
		k := slices.IndexFunc(flag.Logistic, func(x Term) bool {
			return x.Name == level || level == "other" && strings.HasSuffix(x.Name, "rarer levels")
		})
		if k < 0 {
			t.Errorf("no term of flag %s", level)
			continue
		}
		near("flag "+level, flag.Logistic[k].Beta, levels.Beta[i])
		near("flag "+level+" SE", flag.Logistic[k].SE, levels.SE[i])
	}
}

// fiveAnswers: the answers in words say what the numbers do.
func fiveAnswers(t *testing.T, questions map[string]*Question) {
	t.Helper()
	for pair, want := range map[string][]string{
		"src_bytes ~ label":     {"Yes: attacks are lower", "raw means say little"},
		"dst_bytes ~ label":     {"Yes: attacks are lower", "Welch p = 0.17"},
		"protocol_type ~ label": {"Yes: V = 0.282"},
		"service ~ label":       {"Yes: V = 0.860"},
		"label ~ flag":          {"Yes: rows other than SF have 65.4 times the odds", "S0 goes furthest"},
		"label ~ urgent > 0":    {"No evidence: 9 rows", "p = 0.52 (Fisher"},
	} {
		q := questions[pair]
		if q == nil {
			t.Errorf("%s is not asked", pair)
			continue
		}
		for _, w := range want {
			if !strings.Contains(q.Answer, w) {
				t.Errorf("%s: %q lacks %q", pair, q.Answer, w)
			}
		}
		for _, o := range q.Tests {
			if !math.IsNaN(float64(o.LogP)) && !(o.Holm >= o.LogP && o.BH >= o.LogP && o.Holm >= o.BH) {
				t.Errorf("%s, %s: adjusted %v and %v of %v", pair, o.Name, o.Holm, o.BH, o.LogP)
			}
		}
		if len(q.Assumptions) == 0 {
			t.Errorf("%s names no assumption", pair)
		}
	}
}
