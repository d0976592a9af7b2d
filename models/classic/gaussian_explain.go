package classic

// ExplainRow: how much the squared distance falls where a column takes the value that is to be expected of it by the
// others. With P the inverse of the covariance and δ = x − μ,
//
//	contribution_j = (Pδ)_j² / P_jj,  expected x_j = x_j − (Pδ)_j / P_jj
//
// which is the squared deviation of x_j from its mean given the other columns, in units of its variance given them. The
// cost is d² a row.
func (m *gaussianState) ExplainRow(row []float32, out []float64) {
	m.conditional(row, func(j int, slope, curvature float64) { out[j] = slope * slope / curvature })
}

// ExpectRow fills out with the mean of each column given the others.
func (m *gaussianState) ExpectRow(row []float32, out []float64) {
	m.conditional(row, func(j int, slope, curvature float64) { out[j] = float64(row[j]) - slope/curvature })
}

// conditional calls visit with (Pδ)_j and P_jj of every column.
func (m *gaussianState) conditional(row []float32, visit func(j int, slope, curvature float64)) {
	d := len(row)
	z := make([]float64, d) // Wδ
	for k := range d {
		for j, w := range m.g.W[k*d : k*d+k+1] {
			z[k] += float64(w * (float64(row[j]) - m.g.Mean[j]))
		}
	}
	for j := range d {
		slope, curvature := 0.0, 0.0
		for k := j; k < d; k++ {
			w := m.g.W[k*d+j]
			slope += float64(w * z[k])
			curvature += float64(w * w)
		}
		if curvature == 0 { // the column counts for nothing
			slope, curvature = 0, 1
		}
		visit(j, slope, curvature)
	}
}

// ExpectRow fills out with the row as the components rebuild it.
func (m *pcaState) ExpectRow(row []float32, out []float64) {
	m.residual(row, out)
	for j, v := range out {
		out[j] = float64(row[j]) - v
	}
}
