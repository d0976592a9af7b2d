package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"plumbline/runs/alerts"
)

// kafka produces alerts to a topic, with the group of each as key, so that alerts of one root cause stay in order. All
// replicas have a record before it counts as sent.
type kafka struct {
	client  *kgo.Client
	layout  string
	timeout time.Duration
}

func newKafka(brokers []string, topic, layout string, timeout time.Duration) (*kafka, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.ClientID("plumbline"),
		kgo.AllowAutoTopicCreation(), kgo.RecordDeliveryTimeout(timeout), kgo.DialTimeout(timeout))
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &kafka{client, layout, timeout}, nil
}

func (k *kafka) Send(ctx context.Context, list []alerts.Alert) (int, error) {
	var records []*kgo.Record
	for i := range list {
		line, err := list[i].Encode(k.layout)
		if err != nil {
			return 0, err
		}
		records = append(records, &kgo.Record{Key: []byte(list[i].Group), Value: line,
			Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(list[i].ID)}}})
	}
	ctx, cancel := context.WithTimeout(ctx, 2*k.timeout)
	defer cancel()
	failed := map[*kgo.Record]error{}
	for _, r := range k.client.ProduceSync(ctx, records...) {
		failed[r.Record] = r.Err
	}
	for i, r := range records { // those after one that failed are sent again
		if err := failed[r]; err != nil {
			return i, fmt.Errorf("kafka: %w", err)
		}
	}
	return len(list), nil
}

func (k *kafka) Close() error {
	k.client.Close()
	return nil
}
