package modeltest

// exceptions[model][check] is why a model is excused from one check.
var exceptions = map[string]map[string]string{
	"random": {"separates": "a control that does not look at its input: its AUROC is ½ on any data"},
	"ecod": {"separates": "it adds up tails of one side, each at most log(n+1): the attacks' one high and one low " +
		"value of six weigh little more than a benign row's; package classic holds it to values computed by hand"},
	"sod": {"separates": "it looks for subspaces along the columns, and here they are oblique: all columns vary alike " +
		"among similar rows, and which count is chance; package neighbours holds it to PyOD's scores row by row"},
	"one_rule": {"separates": "a control of one split: one column sees half of the attacks; package supervised holds " +
		"it to a " +
		"split worked out by hand"},
	"golearn_naive_bayes": {"separates": "one bit of each column, cut at its median, and the suite's attacks lie at " +
		"both ends: package golearn holds it to the class that golearn names"},
	"permuted": {"separates": "a control that learns shuffled labels"},
	"ocsvm_sgd": {"separates": "a hyperplane: the suite's attacks are farther from the origin than benign rows, on the " +
		"same side; package oneclass holds it to the exact linear machine"},
	"sequent": {"separates": "its score grows along the stream, so early windows rank below late ones whatever they " +
		"hold; package automata holds it to its authors' scores"},
}

// quick[model] is YAML over the defaults for models whose defaults take long to fit, on data where less is
// enough. The checks of the defaults themselves do not use it.
var quick = map[string]string{
	"lstm_pred":             "{epochs: 6, units: [16]}",
	"lstm_ae":               "{epochs: 6, units: 16}",
	"lstm_ae_repeat":        "{epochs: 4, units: [16, 8]}",
	"lstm_density":          "{epochs: 6, units: [16]}",
	"deeplog":               "{epochs: 4, units: [16]}",
	"token_lm":              "{epochs: 4, units: [16]}",
	"msm":                   "{max_events: 900}",
	"entity_msm":            "{key_events: 19, rule: sigma}", // the sets have short traces; msm has the other rules
	"entity_symbols":        "{key_events: 19}",
	"dagmm":                 "{batch: 60, epochs: 150, hidden: [10, 2]}", // the suite's sets have few rows
	"dif":                   "{networks: 10}",
	"devnet":                "{epochs: 15, batches: 5}",
	"golearn_bagging":       "{trees: 9, rows: 60}", // golearn's trees cost the square of the rows
	"golearn_random_forest": "{trees: 15, rows: 150}",
	"golearn_tree":          "{rows: 120}",
}
