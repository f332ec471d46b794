# The commands of this repository; `make demo` and `make test` need nothing but Node 20, npm and, on Debian or Ubuntu, root.
.PHONY: demo test bench setup check clean

demo: setup
	@EXIT=$(EXIT) PORT=$(PORT) bash tools/demo.sh

test: setup
	@SETUP=test sh tools/setup.sh
	@node_modules/.bin/node tools/test.ts

bench: setup
	@SETUP=test sh tools/setup.sh
	@node_modules/.bin/node tools/bench/main.ts $(if $(ONLY),--only $(ONLY))

setup:
	@sh tools/setup.sh

check: setup
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run check

clean:
	rm -rf node_modules .berth
