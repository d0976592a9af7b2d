package watch

import (
	"context"
	"time"
)

// endWait is how long what came in may take to be judged and written once watching ends.
const endWait = time.Minute

// lingering is a context that ends some time after another: what nobody sends again is judged before the end, which
// does not wait for ever. As long as the other lives there is no limit: a slow model or a full disk ends nothing.
func lingering(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(more):
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}
