package deliver

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzSettings: whatever stands in a settings file, it is read or the error says where; what was read can be opened,
// but for brokers, and no name of a target has a password.
func FuzzSettings(f *testing.F) {
	f.Add("to:\n  - file:alerts.ndjson\n  - {to: \"https://user:secret@soc.example/hook\", batch: 50, headers: {A: b}}\n")
	f.Add("to: [\"syslog+tcp://10.0.0.2:601\", kafka://10.0.0.3:9092/alerts, syslog+unix:///dev/log, stdout]\n" +
		"layout: ecs")
	f.Add("limit: {alerts: 100, per: 1h}\nignore: [{src: 10.0.0.0/8, within: 20 %}]\nverdicts: off\nkeep: 3")
	f.Add("to: &a [*a]")
	file := filepath.Join(f.TempDir(), "settings.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadSettings(file)
		if err != nil {
			if !strings.Contains(err.Error(), "settings.yaml") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		if s.Keep < 1 || s.Layout == "" {
			t.Errorf("%+v", s)
		}
		for _, to := range s.To {
			kind, u, err := to.parts()
			if err != nil || kind == "kafka" {
				continue
			}
			sink, err := to.Open(s.Layout, io.Discard)
			if err == nil {
				err = sink.Close()
			}
			if err != nil {
				t.Errorf("%q: %v", to.To, err)
			}
			if secret, ok := u.User.Password(); ok && len(secret) > 8 && strings.Contains(to.Name(), secret) {
				t.Errorf("%q is named %q", to.To, to.Name())
			}
		}
	})
}
