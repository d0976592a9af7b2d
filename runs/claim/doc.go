// Package claim lets processes on any number of machines share out work in one folder without a server: who makes the
// claim on a name first has it ([Board.Take]), and it is taken over only from an owner that is known to be gone.
// Clocks play no part in that, so that they may be wrong.
//
// A claim is a file NAME.GENERATION that is made whole and exclusively. To take a claim over is to make the next
// generation, which again only one can do: nothing is deleted by anybody but its owner, so that two that find an owner
// gone cannot both follow it. The highest generation has the claim.
//
// It knows hosts, processes and schedulers, and nothing of what is claimed.
package claim
