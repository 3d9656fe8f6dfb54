# What `stella --help` says. A command's line ends without a full stop.

help-about = Evidence in, findings scored and explained, every answer can be replayed
help-commands = Commands
help-examples = Examples:
help-example =
    stella up --sample
    stella evidence ingest advisories/ sbom.json
    stella findings list

help-global-options = Options of every command
help-output = table, json, ndjson or yaml [default: table on a terminal, else json]
help-out = Write the output to a file
help-context = Use this context instead of the current one
help-clock = The time in records, RFC 3339 [default: $SOURCE_DATE_EPOCH, else now]
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
    stella serve --config /etc/stella/stella.yaml --set Server:Listen=0.0.0.0:7070
help-serve-services = The services to run, separated by commas [default: all]
help-config = File with the configuration
help-set = Set one key; stronger than the file and the environment, may be repeated

help-migrate-about = Create or update the tables of an installation
help-migrate-example =
    stella migrate --config /etc/stella/stella.yaml

help-storage-about = Look after the blobs of an installation
help-storage-example =
    stella storage verify --config /etc/stella/stella.yaml
    stella storage sweep --config /etc/stella/stella.yaml
help-storage-backup-about = Copy every blob into a folder that has it not yet
help-storage-backup-example =
    stella storage backup /backup/blobs --config /etc/stella/stella.yaml
help-storage-copy-dir = Folder of the copy, laid out as that of seed-fs
help-storage-restore-about = Put every blob of a folder back that is gone
help-storage-restore-example =
    stella storage restore /backup/blobs --config /etc/stella/stella.yaml
help-storage-sweep-about = List blobs that nothing needs, or remove them
help-storage-sweep-example =
    stella storage sweep --config /etc/stella/stella.yaml
    stella storage sweep --config /etc/stella/stella.yaml --older-than 30d --remove
help-storage-older-than = Only what was written so long ago: a number of s, m, h or d [default: 7d]
help-storage-remove = Remove them; what is younger than 24h is never removed
help-storage-verify-about = Read every blob again and compare it with its digest
help-storage-verify-example =
    stella storage verify --config /etc/stella/stella.yaml

help-tenant-about = Look after the tenants of an installation
help-tenant-example =
    stella tenant create acme --config /etc/stella/stella.yaml
help-tenant-create-about = Make a tenant; one that is there stays as it is
help-tenant-create-example =
    stella tenant create acme --config /etc/stella/stella.yaml
help-tenant-create-id = Its id: a-z, 0-9 and -, at most 63, a letter or digit first
help-tenant-trust-about = Let the VEX statements of a publisher move the scores of a tenant
help-tenant-trust-example =
    stella tenant trust acme "Example Vendor" --config /etc/stella/stella.yaml
help-tenant-trust-tenant = The tenant
help-tenant-trust-publisher = The publisher, as stella evidence list shows it
help-client-about = Look after the clients of an installation
help-client-example =
    stella client create ci --tenant acme --role ingester --role analyst --key-file ci.pem
help-client-id = Its id
help-client-list-about = List the clients, what each may do where, and how many keys it has
help-client-list-example =
    stella client list
help-client-show-about = Show a client with its roles and its keys, also those that were revoked
help-client-show-example =
    stella client show ci
help-client-set-roles-about = Give a client these roles in a tenant and take away its others there; they count from its next token on
help-client-set-roles-example =
    stella client set-roles ci --tenant acme --role analyst
    stella client set-roles ci --tenant acme --none
help-client-set-roles-tenant = The tenant in which they count
help-client-set-roles-none = Take all its roles in the tenant away
help-client-revoke-about = Take all its keys from a client, for ever; it gets no token any more, and those it has end within minutes
help-client-revoke-example =
    stella client revoke ci
help-client-key-about = Look after the keys of a client
help-client-key-example =
    stella client key add ci --key-file ci-new.pem
help-client-key-add-about = Give a client another key beside those it has
help-client-key-add-example =
    stella client key add ci --key-file ci-new.pem
help-client-key-revoke-about = Take one key from a client, for ever
help-client-key-revoke-example =
    stella client key revoke ci kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k
help-client-key-id = The key's id, as stella client show tells it
help-client-create-about = Register a client with its key, and give it roles in a tenant; the same key again adds what is new, another key is refused where the client is there
help-client-create-example =
    stella client create ci --tenant acme --role ingester --role analyst --key-file ci.pem
    stella context set acme --server https://stella.example --tenant acme --client ci --key-file ci.pem
help-client-create-id = Its id, which it gives when it asks for a token
help-client-create-tenant = The tenant that it may act in; it must be there
help-client-create-role = ingester, analyst, auditor or operator; may be repeated
help-client-create-key-file = Its private key, PKCS#8 PEM; made where there is none, readable by its owner only
help-key-about = Look after the keys that an installation signs with
help-key-example =
    stella key list --config /etc/stella/stella.yaml
    stella key reseal --config /etc/stella/stella.yaml
help-key-list-about = Show every key that an installation signs with, and what it is for
help-key-list-example =
    stella key list --config /etc/stella/stella.yaml
help-key-rotate-about = Make a new key, which servers sign with at once; what the one before signed stays valid
help-key-rotate-example =
    stella key rotate evidence log --config /etc/stella/stella.yaml
help-key-rotate-service = Whose key: a service of `stella key list`
help-key-rotate-purpose = What the key is for: a purpose of `stella key list`
help-key-reseal-about = Encrypt every stored key anew with Security:MasterKeyFile; servers must know it already
help-key-reseal-example =
    stella key reseal --config /etc/stella/stella.yaml
help-config-about = Say what a server would be told, and by whom
help-config-example =
    stella config check --config /etc/stella/stella.yaml
    stella config explain Storage:Driver
help-config-check-about = Judge a configuration and show what it means for each service; open nothing
help-config-check-example =
    stella config check --config /etc/stella/stella.yaml
    STELLA_ENVIRONMENT=Staging stella config check --set Storage:Driver=postgres
help-config-explain-about = Show what a key takes, who sets it and which value counts
help-config-explain-example =
    stella config explain Storage:Driver
    stella config explain ConnectionStrings:Default --config /etc/stella/stella.yaml
help-config-explain-key = The key, such as Storage:Driver, whatever its case
help-config-reference-about = Print every key and every code that stops a start, as Markdown
help-config-reference-example =
    stella config reference
help-openapi-about = Print the OpenAPI document of all services
help-openapi-example =
    stella openapi --out openapi.json

help-audit-about = See who did what, and prove that nothing of it was taken away or changed
help-audit-example =
    stella audit list --service replay
    stella audit verify
help-audit-export-about = Write the audit logs with their signed ends, to keep and to verify elsewhere
help-audit-export-example =
    stella audit export --out audit.ndjson
    stella audit verify audit.ndjson
help-audit-list-about = List acts, the newest first; an act is listed about a second after it was done
help-audit-list-example =
    stella audit list --action replay.run.finished --since 2026-01-01T00:00:00Z
help-audit-list-action = Only acts of this name, as the list shows it
help-audit-list-since = Only acts of this time or later, as 2026-01-02T03:04:05Z
help-audit-list-until = Only acts before this time
help-audit-service = Only of this service
help-audit-verify-about = Verify the audit logs: what was removed, edited or reordered is told
help-audit-verify-example =
    stella audit verify
    stella audit verify audit.ndjson
help-audit-verify-file = A file of stella audit export, verified without a server
help-audit-verify-key = The id of a key that may have signed it; may be given more than once [default: those in the file]
help-evidence-about = Take in and look at what others publish
help-evidence-example =
    stella evidence ingest advisories/ sbom.json
    stella evidence list --kind sbom
help-evidence-affected-about = Tell which advisories cover versions of packages, a JSON object a line on standard input
help-evidence-affected-example =
    stella evidence affected --offline osv/rustsec osv/pypa < packages.ndjson
    stella evidence affected --offline osv/ --out answers.ndjson < packages.ndjson
help-evidence-affected-paths = Files and folders of advisories; a line on standard input is such as {"{"}"ecosystem": "PyPI", "package": "jinja2", "version": "2.4.1"{"}"}
help-evidence-affected-offline = Read the advisories here instead of asking a server; must be said in this version
help-evidence-checkpoint-about = Show where the log of what was taken in ends, signed, to keep elsewhere
help-evidence-checkpoint-example =
    stella evidence checkpoint -o json --out checkpoint.json
help-evidence-export-about = Write every document exactly as published, with where it came from, into one tar archive
help-evidence-export-example =
    stella evidence export --out evidence.tar
    stella evidence export --kind sbom --out sboms.tar
help-evidence-ingest-about = Take in advisories, VEX, SBOMs and KEV catalogues
help-evidence-ingest-example =
    stella evidence ingest sbom.cdx.json
    stella evidence ingest osv/rustsec osv/go
    curl -s https://example.org/vex.json | stella evidence ingest - --publisher acme
    stella evidence ingest backup/osv --clock 2026-01-31T00:00:00Z
help-evidence-ingest-paths = Files; folders with .json, .yaml, .yml, .csv or .csv.gz files; archives of such (.tar, .tar.gz, .tgz, .tar.zst, .zip); or - for standard input. What was taken in before stays as it is
help-evidence-ingest-publisher = Who publishes them [default: as the documents say]
help-evidence-ingest-stream = Which of the publisher's feeds they come from
help-evidence-list-about = List documents
help-evidence-list-example =
    stella evidence list --kind sbom
    stella evidence list --id CVE-2023-4863 -o json
    stella evidence list --upstream-id RUSTSEC-2020-0071 --newest --as-of 2023-01-31T00:00:00Z
help-evidence-list-kind = Only advisory, vex, sbom or signal
help-evidence-list-publisher = Only of this publisher
help-evidence-list-id = Only what speaks of this vulnerability
help-evidence-list-upstream-id = Only what its publisher calls so
help-evidence-list-newest = Only the newest revision of each document: the one that was fetched last
help-as-of = As of then, RFC 3339: from documents that had been fetched by this time, as their senders say; findings need --sbom
help-known-at = Known then, RFC 3339: from documents that had been received by this time; findings need --sbom
help-evidence-rebuild-about = Derive again from the kept documents what does not follow from them
help-evidence-rebuild-example =
    stella evidence rebuild
help-evidence-show-about = Show the record of a document, or its bytes
help-evidence-show-example =
    stella evidence show 5f2d0c3a91be
    stella evidence show 5f2d0c3a91be --raw --out advisory.json
help-evidence-show-raw = Write the exact bytes that came
help-evidence-verify-about = Verify that all that was taken in is there and unchanged
help-evidence-verify-example =
    stella evidence verify
    stella evidence verify --since 2026-01-31T00:00:00Z --publisher rustsec
    stella evidence verify --checkpoint checkpoint.json
help-evidence-verify-since = Read only documents again that were taken in then or later
help-evidence-verify-until = Read only documents again that were taken in before
help-evidence-verify-publisher = Read only documents of this publisher again; may be said several times
help-evidence-verify-checkpoint = Prove that the log has only grown since this checkpoint: a file of stella evidence checkpoint
help-evidence-verify-limit = How many examples of each violation are shown
help-limit = At most this many
help-id-document = Digest of the document, or its first 8 digits or more
help-id-finding = Id of the finding, or its first 8 digits or more
help-id-finding-or-score = Id of a finding or a score, or its first 8 digits or more; a finding is evaluated first

help-findings-about = Look at components that advisories cover
help-findings-example =
    stella findings list
    stella findings show 8c1f3b7a90de
help-findings-list-about = List findings with their scores: unknown scores first, then the highest, then by id
help-findings-list-example =
    stella findings list
    stella findings list --vulnerability CVE-2023-4863 -o json
    stella findings list --band unknown,critical --fixable --sort component
    stella findings list --all --no-score
    stella findings list --sbom 3f0a9d21c7be --as-of 2026-01-31T00:00:00Z
help-findings-list-sbom = Only of the SBOM with this digest, or 8 digits or more of it; without it, of the highest revision of each
help-findings-list-vulnerability = Only of this vulnerability, by any of its ids, in any case
help-findings-list-purl = Only of components that this package URL speaks of; without a version, of all versions
help-findings-list-publisher = Only of advisories of this publisher
help-findings-list-verdict = Only of this verdict; `undetermined` is where versions cannot be compared
help-findings-list-fixable = Only those that a newer version ends
help-findings-list-no-fix = Only those that no version is known to end
help-findings-list-band = Only of these bands; what could not be scored is shown with them
help-findings-list-sort = What to sort by
help-findings-list-sort-score = Unknown scores first, then the highest
help-findings-list-sort-id = The finding's id
help-findings-list-sort-vulnerability = The advisory's own id
help-findings-list-sort-component = The component's name, then its version
help-findings-list-all = Show all of them
help-findings-list-no-score = Do not ask for scores
help-findings-show-about = Show a finding with its range, rule and sources
help-findings-show-example =
    stella findings show 8c1f3b7a90de

help-score-about = Score findings and explain why
help-score-example =
    stella score explain 8c1f3b7a90de
    stella score evaluate --all
help-score-evaluate-about = Score findings with today's evidence
help-score-evaluate-example =
    stella score evaluate 8c1f3b7a90de
    stella score evaluate --all -o ndjson
help-score-evaluate-ids = Ids of findings, or their first 8 digits or more
help-score-evaluate-all = Every finding there is
help-score-show-about = Show a score with its range, profile and digests
help-score-show-example =
    stella score show 8c1f3b7a90de
help-score-explain-about = Say why a score is what it is: the steps that add up, and the sources
help-score-explain-example =
    stella score explain 8c1f3b7a90de
    stella score explain 8c1f3b7a90de -o json

help-replay-about = Give an answer again from stored inputs and compare
help-replay-example =
    stella replay verify 41d8aa07c25e
    stella replay run 41d8aa07c25e
help-replay-run-about = Compute an answer again and print it
help-replay-run-example =
    stella replay run 41d8aa07c25e
    stella replay run 41d8aa07c25e -o json
help-replay-verify-about = Say whether an answer comes out the same; exit 0 match, 9 mismatch, 4 cannot replay, 6 tampered
help-replay-verify-example =
    stella replay verify 41d8aa07c25e
help-replayed = A replay token (rt1.…), or a score's id or its first 8 digits or more

help-whoami-about = Say who one is on the server
help-whoami-example =
    stella whoami
    stella whoami --context prod -o json

help-context-about = Choose the server and tenant to work with
help-context-example =
    stella context list
    stella context use local
help-context-list-about = List the contexts; the current one is marked
help-context-list-example =
    stella context list
    stella context list -o json
help-context-set-about = Make a context, or replace the one of this name
help-context-set-example =
    stella context set acme --server https://stella.example --tenant acme --client ci --key-file ci.pem
help-context-set-server = Where the server is, as its Server:PublicUrl says
help-context-set-tenant = The tenant to work in
help-context-set-client = The client that asks for tokens
help-context-set-key-file = The client's private key
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
