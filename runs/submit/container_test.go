package submit

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestContainer: the container holds the program alone, runs as no root, and can be built where there is a builder.
func TestContainer(t *testing.T) {
	raw, err := os.ReadFile("../../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, ok := strings.Cut(string(raw), "\nFROM scratch\n")
	if !ok || strings.Contains(last, "\nFROM ") || !strings.Contains(last, "USER 65532:65532\n") ||
		!strings.Contains(last, `ENTRYPOINT ["/plumbline"]`) || !strings.Contains(string(raw), "CGO_ENABLED=0") {
		t.Errorf("Containerfile:\n%s", raw)
	}
	for _, builder := range []string{"podman", "docker", "buildah"} {
		if exec.Command(builder, "info").Run() != nil || exec.Command(builder, "pull", "golang:1.26").Run() != nil {
			continue // not there, no daemon, or no way to the image that it builds in
		}
		if out, err := exec.Command(builder, "build", "-f", "../../Containerfile", "-t", "plumbline-test", "../..").
			CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", builder, err, out)
		}
		return
	}
	t.Skip("no podman, docker or buildah that builds: the container is not built")
}
