package runs

import (
	"context"
	"runtime"
	"sync"
	"time"

	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// skip ends cells without running them. Those that failed leave a status; interrupted ones do not, so that
// they are taken up again.
func (r *run) skip(cells []experiment.Cell, how, why string) {
	for _, c := range cells {
		res := blankResult(c)
		res.Status, res.Error = how, why
		if how != record.Interrupted {
			claimed, ok := r.claim(context.Background(), c)
			if !ok {
				continue
			}
			if err := r.leaveStatus(c, res); err != nil {
				r.log.Error("cell", "cell", c.Path(), "error", err.Error())
			}
			r.ended(c, res, 0, claimed)
		}
		r.observe(Event{Kind: Finished, Cell: c, Result: res})
	}
}

// leaveStatus is the status of a cell that could not begin.
func (r *run) leaveStatus(c experiment.Cell, res record.Result) error {
	now := time.Now().UTC()
	return r.dir.WriteJSON(c.Path()+"/status.json", record.Status{
		Cell: c.Path(), Status: res.Status, Error: res.Error, Started: now, Finished: now,
		Files: map[string]record.FileSum{}, Result: res,
	})
}

// pool runs cells side by side; the processors that are left over by few cells go to each of them.
func (r *run) pool(ctx context.Context, p *prepare.Prepared, cells []experiment.Cell) {
	cpus := runtime.GOMAXPROCS(0)
	workers := r.opt.Workers
	if workers <= 0 {
		workers = r.exp.Workers
	}
	if workers <= 0 {
		workers = cpus
	}
	workers = min(workers, len(cells))
	each := max(1, cpus/workers)
	next := make(chan experiment.Cell)
	plane, trained := &plane{}, &trained{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for c := range next {
				if ctx.Err() != nil {
					r.skip([]experiment.Cell{c}, record.Interrupted, "interrupted")
					continue
				}
				claimed, ok := r.claim(ctx, c)
				if !ok {
					continue
				}
				r.observe(Event{Kind: Started, Cell: c})
				j := &job{cell: c, exp: r.exp, dir: r.dir, data: p, workers: each, log: r.log, observe: r.observe, stop: r.stop,
					program: r.manifest.Version, judge: r.opt.judge, plane: plane, trained: trained, claim: claimed,
					owner: r.board.Self, remote: r.remote}
				if j.judge == nil {
					j.judge = eval.Summarise
				}
				began := time.Now()
				res := j.run(ctx)
				r.ended(c, res, time.Since(began), claimed)
				r.observe(Event{Kind: Finished, Cell: c, Result: res})
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	wg.Wait()
}
