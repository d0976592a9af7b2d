// Package score scores files with a model, block by block: [Run] reads each file once and gives lines with score,
// decision and p-value on, in memory that does not grow with the files. It says what of the input is not as the
// training data was. What is read and how is [bundle.Bundle.Input]'s; nothing is fitted here.
//
// What a line is depends on the model. A model that judges rows one by one scores each block as it comes. The windows
// of a trace, cut by a number of events, are cut as its events come ([prep.Window.Advance]), so that where a block ends
// makes no difference; of a trace no more rows are held than a window has. Whole traces, and windows cut by time, are
// held until the input ends. A model that judges rows together is given as many as may be held, or all. Where more
// rows, or units, are open than may be held, those that nothing was heard of for longest are closed; the summary says
// how many.
package score
