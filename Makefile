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
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' "$$p" | grep '^Fuzz'); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 10s "$$p" || exit 1; \
	  done; \
	done

ci:
	bash .ci/run

quickstart:
	go run ./cmd/plumbline run configs/experiments/quickstart.yaml
