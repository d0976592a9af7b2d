.PHONY: build test race bench fuzz ci quickstart

build:
	CGO_ENABLED=0 go build -trimpath -o plumbline ./cmd/plumbline

test:
	go test ./...

race:
	CGO_ENABLED=1 go test -race -short ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

# each fuzz test for ten seconds
fuzz:
	bash .ci/fuzz 10

ci:
	bash .ci/run

quickstart:
	go run ./cmd/plumbline run configs/experiments/quickstart.yaml
