package source

// InLayout is the configs that are tried on rows in a published layout alone.
var InLayout = inLayout
