// Package bundle writes what a finished cell scores with, and opens it again as one thing: the columns of the data
// set, the fitted preprocessing, the model, the threshold, and what is judged. [Open] needs the cell's folder alone,
// neither the experiment nor its data; [Bundle.Score] gives any table of the needed columns the scores that the cell
// would have given. Fitting is in runs, and the record of a run in runs/record.
package bundle
