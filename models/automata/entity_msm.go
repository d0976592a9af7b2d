package automata

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "entity_msm",
		Doc: "Multivariate state machines that judge whole entities, such as hosts: the score is the share of an " +
			"entity's flows that are alarms for the benign entity whose machine it suits best.",
		Paper: "V. Serentellos, Anomaly detection in network traffic using multivariate state machines, thesis, TU " +
			"Delft 2020",
		Needs:  models.Needs{Input: data.Traces, Batch: true},
		Seeded: func(s models.Spec) bool { return s.(*EntityMSMSpec).usesSeed() },
		Defaults: func() models.Spec {
			s := &EntityMSMSpec{MSMSpec: *defaultMSM(), Usual: 0.95}
			s.Per = "key"
			return s
		},
	})
}

// EntityMSMSpec configures entity_msm. Machines and models are those of msm, by default one machine for each key of
// the training traces. An entity is the traces of one key in a call of Score, and every one of them gets its score:
//
//	label of a flow  1 where Σ w(q)·[u > Usual] over the events of windows that are the flow is above half of Σ w(q),
//	                 with u and w as in msm, or w = 1
//	score            the least share of flows with label 1, over the machines
//
// In the thesis the one-class models say by rules of their own which events are anomalous; here all of them do by the
// same quantile of the scores of a state's training events.
type EntityMSMSpec struct {
	MSMSpec `yaml:",inline"`
	// an event is an alarm when this share of the training events of its state score less
	Usual float64 `yaml:"usual" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
}

// New checks the values.
func (s *EntityMSMSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("entity_msm", s); err != nil {
		return nil, err
	}
	if err := s.checkModel(env); err != nil {
		return nil, fmt.Errorf("entity_msm: %w", err)
	}
	m := msm{name: "entity_msm", spec: s.MSMSpec, env: env}
	usual := s.Usual
	return models.NewFitted(models.Method[*entityMSM]{
		Name: m.name, Spec: s, Reads: models.ReadsEvents, Min: 1,
		Fit: func(ctx context.Context, train *data.Set) (*entityMSM, error) {
			fitted, err := m.fit(ctx, train)
			return &entityMSM{fitted, usual}, err
		},
		Load: func(st models.State) (*entityMSM, error) {
			loaded, err := m.load(st)
			return &entityMSM{loaded, usual}, err
		},
	}), nil
}

type entityMSM struct {
	*msm
	usual float64
}

// Score is the share of an entity's flows that are alarms.
func (m *entityMSM) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	e := entitiesOf(s, func(i int) int { return len(s.Traces[i].Events) / m.d })
	scores := make([]float64, e.n)
	for k := range m.machines {
		alarm, total := make([]float64, len(e.owner)), make([]float64, len(e.owner))
		const chunk = 1024 // bounds the copies of events
		at := 0
		for from := 0; from < s.N; from += chunk {
			unusual, weight, err := m.events(ctx, &m.machines[k], s.Traces[from:min(from+chunk, s.N)])
			if err != nil {
				return nil, fmt.Errorf("machine %d: %w", k+1, err)
			}
			for i, u := range unusual {
				flow := e.flow[at]
				at++
				total[flow] += weight[i]
				if u > m.usual {
					alarm[flow] += weight[i]
				}
			}
		}
		shares := make([]float64, e.n)
		for flow, id := range e.owner {
			if alarm[flow] > total[flow]/2 {
				shares[id] += 1 / float64(e.flows[id])
			}
		}
		for id, v := range shares {
			if k == 0 || v < scores[id] {
				scores[id] = v
			}
		}
	}
	return e.spread(scores), nil
}
