# What `stella --help` says. A command's line ends without a full stop.

help-about = Evidence in, findings scored and explained, every answer can be replayed
help-commands = Commands
help-examples = Examples:
help-example =
    stella up --sample
    stella context list
    stella canon --help

help-global-options = Options of every command
help-output = table, json, ndjson or yaml [default: table on a terminal, else json]
help-out = Write the output to a file
help-context = Use this context instead of the current one
help-no-input = Never ask; fail where a question would be asked
help-color = When to use colours: auto, always or never [default: auto]

help-up-about = Start everything in one process on embedded storage
help-up-example =
    stella up --sample
    stella up --sample --once
    stella up --data /tmp/try --listen 127.0.0.1:8080
help-up-data = Where everything is kept [default: $XDG_DATA_HOME/stella]
help-up-listen = Where it listens [default: 127.0.0.1:7070, with --once a free port]
help-up-sample = Take in a small sample to look at
help-up-once = Print what was found and end

help-serve-about = Run the services of an installation
help-serve-example =
    stella serve --config /etc/stella/stella.yaml
    stella serve --services risk-engine,replay --set Storage:Driver=postgres
help-serve-services = The services to run, separated by commas [default: all]
help-config = File with the configuration
help-set = Set one key; stronger than the file and the environment, may be repeated

help-migrate-about = Create or update the tables of an installation
help-migrate-example =
    stella migrate --config /etc/stella/stella.yaml

help-openapi-about = Print the OpenAPI document of all services
help-openapi-example =
    stella openapi --out openapi.json

help-context-about = Choose the server and tenant to work with
help-context-example =
    stella context list
    stella context use local
help-context-list-about = List the contexts; the current one is marked
help-context-list-example =
    stella context list
    stella context list -o json
help-context-use-about = Make a context the current one
help-context-use-example =
    stella context use local
help-context-use-name = Name of the context

help-canon-about = Write JSON in its canonical form (RFC 8785)
help-canon-example =
    echo '[56.0, 1e3]' | stella canon
    stella canon --lines < values.ndjson
help-canon-lines = Read one value a line and write one canonical value a line
help-canon-max-bytes = Refuse a value larger than this

help-cvss-about = Score CVSS vectors
help-cvss-example =
    stella cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
    stella cvss < vectors.txt
help-cvss-vectors = Vectors to score [default: one a line from standard input]
