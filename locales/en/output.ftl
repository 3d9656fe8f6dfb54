# What commands print, and why they fail. Messages: lower case, no full stop.

error = error
hint = hint
trace = trace
place = at line { $line }, column { $column }
place-pointer = at line { $line }, column { $column }, pointer { $pointer }
standard-output = standard output
standard-input = standard input

column-name = NAME
column-server = SERVER
column-tenant = TENANT
column-client = CLIENT
column-actual = FOUND
column-band = BAND
column-code = CODE
column-component = COMPONENT
column-conflict = CONFLICT
column-action = ACTION
column-actor = ACTOR
column-count = COUNT
column-digest = DIGEST
column-document = DOCUMENT
column-expected = EXPECTED
column-file = FILE
column-fixed = FIXED
column-format = FORMAT
column-id = ID
column-identical = IDENTICAL
column-kind = KIND
column-outcome = OUTCOME
column-place = PLACE
column-points = POINTS
column-publisher = PUBLISHER
column-reason = REASON
column-received = RECEIVED
column-refused = REFUSED
column-score = SCORE
column-score-id = SCORE ID
column-source = SOURCE
column-step = STEP
column-stored = STORED
column-superseding = SUPERSEDING
column-target = TARGET
column-time = TIME
column-version = VERSION
column-vulnerability = VULNERABILITY
column-where = WHERE
column-why = WHY

field-also = also
field-band = band
field-bom-ref = bom-ref
field-bucket = what to do
field-by-document = by document
field-class = class
field-client = client
field-component = component
field-digest = digest
field-distributor = distributor
field-document = document
field-engine = engine
field-evaluated-at = evaluated at
field-fetched-at = fetched at
field-fetched-again = fetched again
field-finding-id = finding
field-fixed = fixed in
field-format = format
field-in-sbom = in SBOM
field-input-digest = input digest
field-kind = kind
field-location = kept in
field-log-root = root
field-log-size = entries
field-media-type = media type
field-outcome = outcome
field-output-digest = result digest
field-profile = profile
field-publisher = publisher
field-range = range
field-range-affected = affected range
field-received-at = received at
field-received-by = received by
field-references = references
field-roles = roles
field-rule = decided by
field-score = score
field-score-id = score id
field-size = bytes
field-speaks-of = speaks of
field-stream = stream
field-subject = subject
field-summary = summary
field-supersedes = supersedes
field-tenant = tenant
field-verdict = verdict
field-version = version
field-vex = VEX on it
finding-no-vex = no document names the vulnerability; what the SBOM itself states: stella score explain
finding-vex = by { $publishers }, naming the vulnerability; whether it speaks to this component: stella score explain
field-vulnerability = vulnerability
field-why = why

skipped-other-name = skipped { $count }: the name ends in none of .json, .yaml, .yml, .csv, .csv.gz
skipped-hidden = skipped { $count }: hidden
skipped-linked-folder = skipped { $count }: a link to a folder
skipped-no-file = skipped { $count }: no file
noticed = noticed { $code } in { $count }, taken all the same
unsent = { $count } not sent or not answered; the same command goes on, what was taken stays
refusals-more = { $count } more refusals: -o json has all
publisher-unnamed = the document names no publisher: say it with --publisher
archive-refused = no archive to take evidence from: { $reason }; where you trust it, unpack it and take the folder
archive-damaged = no archive to take evidence from: { $reason }; fetch it again
archive-other = { $name } is not what the manifest of the export lists there
archive-short = the manifest of the export lists { $listed } documents, and not all are there
document-too-large = { $size } bytes, more than the { $limit } that a server takes
sample-refused = the server refuses { $path } of the sample
file-too-large = larger than { $limit } bytes
document-too-large-unmeasured = more than { $limit } bytes, the most that a server takes
progress-ingest = { $bar } { $percent } %, { $done } of { $total } documents, { $rate } a second, { $left } left
progress-collect = { $spinner } looking for documents
ingest-stopping = stopping; what is under way is waited for, Ctrl-C again leaves at once
progress-export = { $bar } { $percent } %, { $done } of { $total } documents, { $left } left
progress-scores = { $bar } { $percent } %, { $done } of { $total } scores, { $left } left
evidence-verified = holds: all that was taken in is there and unchanged, and what is derived follows from it
evidence-verified-some = holds: the documents of this window and these publishers are there and unchanged, and what is derived follows from them
evidence-not-verified = does not hold: what is stored is not all that was taken in, unchanged, and what follows from it
evidence-rebuilt = derived: all that is derived follows from the documents
evidence-not-rebuilt = not all derived: some documents could not be derived from
evidence-rebuilt-counts = compared: { $compared }, derived again: { $mended }, stray rows taken away: { $dropped }, failed: { $failed }
evidence-read-again =
    { $count ->
        [one] one document read again
       *[other] { $count } documents read again
    }
evidence-log =
    { $count ->
        [one] log: one entry, root { $root }
       *[other] log: { $count } entries, root { $root }
    }
evidence-log-waits =
    { $count ->
        [one] one more waits for its place in the log
       *[other] { $count } more wait for their places in the log
    }
checkpoint-keep = keep it elsewhere: stella evidence checkpoint -o json --out checkpoint.json
progress-evidence-verify = { $spinner } { $done } documents read again, { $rate } a second
audit-verified = holds: every record is there, unchanged and in its place
audit-not-verified = does not hold: what is recorded is not all that was, unchanged and in its place
audit-log =
    { $count ->
        [one] { $service }: one record, root { $root }
       *[other] { $service }: { $count } records, root { $root }
    }
audit-tenant = of the tenant { $tenant }
audit-other-log = what is signed is the end of another log: { $log } of { $tenant } in the schema { $schema }
audit-log-key = signed by the key { $key }; compare it with the server's, or pass --key
audit-position = the record at position { $expected } says that it is at { $found }
audit-other-end = signed are { $signed } records with the root { $signedRoot }, found { $found } with { $foundRoot }
audit-none = nothing that fits is recorded
audit-more = the newest { $shown }; more with --limit
evidence-none = no document fits; those that there are: stella evidence list
evidence-more = the first { $shown }; more with --limit

findings-none = no component of an SBOM that fits is covered by an advisory
findings-none-yet = no finding that fits, of what was derived so far
findings-pending = warning: { $count } taken in and not matched yet, so findings may be missing; again in a few seconds: stella findings list
findings-stuck =
    warning: { $count } taken in and not matched, so findings may be missing
    { $code }: { $reason }
    what cannot be matched for it: stella evidence show { $id }
findings-more = shown { $shown } of { $total }; all of them: stella findings list --all
findings-more-uncounted = the first { $shown } by id; --all has all
finding-next = why it scores as it does: stella score explain { $id }
verdict-affected = affected
verdict-undetermined = undetermined
role-sbom = SBOM
role-advisory = advisory
role-alias = same vulnerability
role-kev = KEV
role-vex = VEX

score-range = { $low }-{ $high }
engine = { $version }, semantics { $semantics }
bucket-act-now = act now
bucket-schedule-next = schedule next
bucket-investigate = investigate
bucket-watchlist = watch
sum = { $band }
sum-unknown = no score: it lies in { $range }
missing = not known: { $signal } ({ $reason }); with it the score would lie in { $low }-{ $high }
missing-any = not known: { $signal } ({ $reason }); with it any score is possible
missing-still = not known: { $signal } ({ $reason }); it would not change the score
conflict = not used: { $signal } { $value }, from { $sources }
conflict-misstated = published beside { $value }, and not its score: { $misstated }, from { $sources }
conflict-unreadable = not readable: { $signal } { $value }, from { $sources } ({ $error })

# A few words for a column. The sentences are in reasons.ftl.
why-cvss-own-newest = CVSS { $value }
why-cvss-alias-highest = CVSS { $value } by another advisory
why-cvss-no-published-severity = no published severity
why-cvss-all-invalid = no readable severity
why-kev-floor = KEV
why-kev-above-floor = KEV
why-kev-no-catalogue = no whole KEV catalogue
why-vex-trusted-not-affected = VEX not_affected by { $by }
why-vex-self-contradicted = VEX of { $by } contradicts itself
why-vex-untrusted-not-affected = VEX not_affected by { $by }, not trusted
why-vex-statement-noted = VEX { $status } by { $by }
why-failed = failed: { $code }
why-informational = informational: { $class }
why-not-scored = not scored: { $reason }
why-stale = old { $content }
why-undetermined = undetermined: { $rule }

replay-token = replay token: { $token }
replay-check = check it with: stella replay verify { $token }
replay-unsigned = the manifest behind it is not signed: it proves equality, not who made it
replay-manifest = manifest { $digest }, not signed
replay-manifest-signed = manifest { $digest }, signed
replayed-invalid = neither a replay token (rt1.…) nor an id of 8 to 64 hexadecimal digits
verdict-match = match: the same answer, byte for byte
verdict-mismatch = mismatch: another answer
verdict-engine = mismatch: the engine has another semantics
verdict-profile = mismatch: the risk profile is another
verdict-tamper = tampered: stored bytes were changed
verdict-missing = cannot replay: an input is not there any more
verdict-cannot-replay = cannot replay
subject-document = document { $id }
subject-engine = engine { $id }
subject-manifest = manifest { $id }
subject-manifest-signature = signature of manifest { $id }
subject-manifest-row = index row of manifest { $id }
subject-profile = profile { $id }
subject-score = score { $id }
subject-snapshot = snapshot { $id }
subject-snapshot-node = snapshot node { $id }
subject-snapshot-root = snapshot nodes below { $id }
difference-present = present
difference-missing = missing
difference-as-given = as it was given
difference-sound = sound
difference-malformed = not well formed
difference-unsigned = without a signature
difference-foreign-key = signed by a key that is none of Replay's
difference-signature-broken = a signature that does not hold
difference-signed-other = the signature of something else
difference-more-faults = faulty in more places than are told
difference-scored = a score
difference-input-missing = no score: an input is missing
difference-component-missing = no score: the SBOM has no such component
difference-not-covered = no score: the advisory does not cover the component
difference-informational = no score: the advisory tells of no vulnerability
difference-not-scored = no score: it cannot be computed

migrate-schema = SCHEMA
migrate-nothing = no service is served from the database of ConnectionStrings:Migrations, and those elsewhere are up to date
migrate-needs-owner = migrations need the connection of the owner of a PostgreSQL database; embedded storage migrates itself

up-settings =
    stella up sets by itself:
      STELLA_ENVIRONMENT=Development Storage:Driver=filesystem
      Storage:ObjectStore:Driver=seed-fs
      Storage:DataDirectory={ $data }
      Server:Listen={ $address }
      Server:AdminListen={ $admin }
    starting on http://{ $address }
up-running = running until Ctrl-C
up-listen-hint = another `stella up` may be running; else choose an address: stella up --listen ADDRESS:PORT
serve-admin-listen-hint = another `stella serve` may be running; else choose an address: stella serve --set Server:AdminListen=127.0.0.1:PORT
serve-listen-hint = another `stella serve` may be running; else choose an address: stella serve --set Server:Listen=ADDRESS:PORT
start-failed-hint = nobody foresaw this: report the message with what `stella --version` prints

newcomer-next =
    What to do next, while `stella up` runs:
      stella findings list
      stella score explain { $id }
      stella replay verify { $token }
      stella evidence ingest DIR
newcomer-next-unscored =
    What to do next, while `stella up` runs:
      stella findings list
      stella evidence ingest DIR
newcomer-nothing-yet =
    Nothing to show yet. What to do next:
      stella up --sample                takes in a small sample
      stella evidence ingest DIR        takes in your SBOMs and advisories, while `stella up` runs

limit-invalid = a limit is a whole number, at least 1
id-invalid = an id is 8 to 64 lower-case hexadecimal digits, with or without sha256:
id-names-none = there is nothing with the id { $id }
hint-id-names-none = list what there is: stella evidence list
id-names-many = `{ $id }` begins more than one id
id-names-both = `{ $id }` names a finding and a score

server-unknown = no server is known yet: there is no context
hint-server-unreachable = stella up
hint-server-unreachable-elsewhere = see that it runs and is reached from here, and try again
server-timed-out = { $server } did not answer within { $limit } seconds, and was waited for no longer
hint-token-refused = `stella whoami --context NAME` tells who one is; `stella up` makes the context local

context-list-empty = no contexts yet; `stella up` makes one, and `stella context set`
context-set = the context { $name } is kept ({ $server }); look at it: stella whoami --context { $name }
context-used = now using { $name } ({ $server })

affected-ecosystem-unknown = no advisory names the ecosystem { $ecosystem }, and its versions are not compared; names are those of OSV: crates.io, Go, npm, PyPI, Debian:12
affected-line-no-object = the line is no JSON object: { $reason }
affected-line-long = the line has more than { $limit } bytes
error-affected-incomplete =
    { $lines ->
        [one] one line
       *[other] { $lines } lines
    } could not be answered, { $documents ->
        [one] one document
       *[other] { $documents } documents
    } could not be read
error-affected-offline-only = no server answers this in this version
error-affected-offline-only-hint = say --offline: the advisories are read here
error-config-invalid = reading the configuration { $path }: { $reason }
error-config-not-written = writing { $path }: { $reason }
error-config-not-written-hint = make its folder writable, or name another: XDG_CONFIG_HOME=DIR
error-context-incomplete = the context "{ $name }" names no client or no key file
error-context-incomplete-hint = `stella up` makes the context local, complete
error-context-name-invalid = "{ $name }" cannot name a context: letters, digits, ".", "_" and "-", at most 63, a letter or digit first
error-context-not-found = there is no context "{ $name }"
error-context-not-found-hint = stella context list
error-cvss-invalid = { $bad } of { $total } vectors could not be scored
error-input-too-large = the input holds a value of more than { $limit } bytes
error-input-too-large-hint = raise the limit with --max-bytes
error-key-file-open-to-others = the key file { $path } can be read by others than its owner
error-key-file-open-to-others-hint = chmod 600 { $path }
error-key-file-unreadable = reading the key file { $path }: { $reason }
error-no-advisories = there is no advisory on a package in { $paths }
error-no-advisories-hint = name folders or files of OSV documents
error-no-context = none of the contexts is the current one
error-no-context-hint = choose one with `stella context use NAME`; `stella context list` has their names
error-no-home = neither { $variable } nor HOME says where files are kept
error-nothing-to-ingest = nothing in { $paths } is called like a document (.json, .yaml, .yml, .csv, .csv.gz) or like an archive of them (.tar, .tar.gz, .tgz, .tar.zst, .zip)
error-output-not-written = writing to { $target }: { $reason }
error-checkpoint-invalid = { $path } holds no checkpoint
error-checkpoint-invalid-hint = make one: stella evidence checkpoint -o json --out checkpoint.json
error-clock-invalid = SOURCE_DATE_EPOCH is { $value }: no number of seconds since 1970-01-01T00:00:00Z
error-clock-invalid-hint = unset it, or say the time: --clock 2026-11-27T09:00:00Z
error-export-invalid = { $path } is no export of an audit log: { $reason }
error-export-invalid-hint = make one: stella audit export --out audit.ndjson
error-path-unreadable = reading { $path }: { $reason }
error-path-unreadable-hint = give a file or a folder that is there and that you may read: ls -l
error-nothing-verified = no document was read again: none was taken in within this window from these publishers
error-nothing-verified-hint = see whose there are, and when they came: stella evidence list
error-read-failed = reading standard input: { $reason }
error-unexpected = writing the answer: { $reason }
error-usage = { $reason }
usage-no-command = a command is missing
serve-all-services = a process runs all services in this version: leave --services and Services: out

# stella storage
column-size = SIZE
column-written = WRITTEN
column-removed = REMOVED
column-blob = BLOB
progress-storage = { $bar } { $percent } %, { $bytes } of { $totalBytes }, { $speed }, { $left } left
storage-age-invalid = write a number and s, m, h or d, such as 36h
storage-age-too-short = --remove: a row may be on its way to a blob younger than { $hours } h; choose --older-than { $hours }h or more
storage-yes = yes
storage-no = no
storage-orphans =
    { $count ->
        [0] nothing lies there that nothing needs
        [one] one blob of { $size } bytes is needed by nothing
       *[other] { $count } blobs of { $size } bytes are needed by nothing
    }
storage-orphans-next = remove them: stella storage sweep --remove
storage-verified =
    { $count ->
        [one] one blob of { $size } bytes was read
       *[other] { $count } blobs of { $size } bytes were read
    }
audit-log-gone = the export has no log of { $service }: it was cut out, or only another service was exported (then say which: --service)
storage-rows-held = whether all that rows lead to is there was not looked for: a running server holds the tables
storage-gone = nothing
storage-missing =
    { $count ->
        [0] all that rows lead to is there
        [one] one that a row leads to is not there: restore it from a backup
       *[other] { $count } that rows lead to are not there: restore them from a backup
    }
storage-copied =
    { $count ->
        [one] one blob of { $size } bytes was copied, { $present } were there
       *[other] { $count } blobs of { $size } bytes were copied, { $present } were there
    }
storage-copy-own = { $path } is the object store itself, and no copy of it
storage-copy-hint = name a folder of its own, on another disk, that this user may write
storage-no-copy = { $path } is no folder that stella storage backup wrote: name the one that it was given, which holds the folders evidence and replay
storage-not-copied =
    { $count ->
        [one] one is not what its digest names, and was not copied
       *[other] { $count } are not what their digests name, and were not copied
    }
storage-corrupt =
    { $count ->
        [0] each is what its digest names
        [one] one is corrupt: restore it from a backup
       *[other] { $count } are corrupt: restore them from a backup
    }

# stella config
column-service = SERVICE
column-driver = DRIVER
column-connection = CONNECTION
column-object-store = OBJECT STORE
config-complete = complete for { $environment }; `stella serve` would open this
config-problems =
    { $count ->
        [one] the configuration has one problem
       *[other] the configuration has { $count } problems
    }
config-unset = nobody sets it
accepts-address = ADDRESS:PORT
accepts-connection = postgres://ROLE:PASSWORD@HOST:PORT/DATABASE or Host=…;Port=…;Database=…;Username=…;Password=…;SslMode=…
accepts-count = a whole number, 1 or more
accepts-body-bytes = a whole number from 65536 to 67108864
accepts-bodies-bytes = a whole number from 134217728 to 1099511627776
accepts-request-seconds = a whole number from 1 to 3600
accepts-folder = a folder
about-driver = where the services keep their tables; the last two are for development and tests
about-data-directory = the folder of filesystem's tables and of seed-fs's blobs; in Production an absolute path
about-allow-localhost = whether a database on this machine is meant, in Production
about-object-driver = where the services keep blobs: snapshots, manifests, large documents
about-endpoint = where the S3-compatible store answers
about-bucket = the bucket of all blobs; it must be there
about-region = the bucket's region
about-access-key-id = who the server is to the store
about-secret-access-key = the secret of that key
about-connection = the database of every service without a connection of its own, in the serving role
about-connection-migrations = the database as its owner: stella migrate, and a start that may migrate
about-own-connection = that service's database, stronger than ConnectionStrings:Default
about-own-driver = that service's driver, stronger than Storage:Driver
about-own-object-driver = that service's store of blobs, stronger than Storage:ObjectStore:Driver
about-listen = where the server takes requests
about-admin-listen = where metrics, and health in detail, are told; whoever reaches it reads them
about-limit-client-requests = how many requests a client may send in its window
about-limit-client-seconds = the window of a client, in seconds
about-limit-tenant-requests = how many requests all clients of a tenant may send in its window
about-limit-tenant-seconds = the window of a tenant, in seconds
about-max-connections = how many connections are open at a time on each address; more wait; each needs an open file (LimitNOFILE)
about-head-seconds = how long the head of a request is waited for, also by a connection that is idle, in seconds: longer than a proxy before it keeps one
about-body-bytes = the longest body of a request; each line of a batch may hold a document of 64 MiB whatever is set here. More than that is no document anywhere
about-bodies-bytes = how many bytes of bodies are read or worked on at once, of all requests together; a server takes about four times as much memory while it works on them, and what finds no room within ten seconds is told to come again
about-request-seconds = how long a request is worked on, the same in every process; the command line waits for an answer for 120 seconds
about-stop-seconds = how long a stop waits for requests that are being answered, in seconds
about-certificate = the certificate of the server's own TLS; read again each 10 seconds and at SIGHUP
about-private-key = that certificate's private key
about-public-url = how clients reach the server: the issuer of tokens, and what DPoP proofs name; if not set, Server:Listen
about-proxies = proxies that are believed in whom they stand for: the client of a request is then the last address of X-Forwarded-For that is none of them
about-master-key = encrypts the keys that services keep in their tables
accepts-master-key = a file of 32 bytes that only its owner may read
about-previous-master-key = the master key before it, while it is being replaced: opens what stella key reseal has not sealed anew yet
accepts-proxies = addresses and networks, separated by commas, such as 10.0.0.7, 192.168.0.0/16
accepts-certificate = a PEM file with the server's certificate, then those that signed it
accepts-private-key = a PEM file with the certificate's private key that only its owner may read
accepts-bucket = the name of a bucket that is there
accepts-region = a region, such as us-east-1
accepts-access-key-id = the id of a key that may read and write the bucket
accepts-secret-access-key = that key
accepts-public-url = an http or https URL without a path
hint-config-connection = { $reason }; write postgres://ROLE:PASSWORD@HOST/DATABASE
hint-config-master-key-unreadable = { $reason }; restore it; where nothing is stored yet, make one: (umask 077; head -c 32 /dev/urandom > FILE)
hint-config-key-file-open = others than its owner can read it: chmod 600 { $file }
hint-config-master-key-other = { $reason }; name the key that it was encrypted with, while one replaces another also Security:PreviousMasterKeyFile, or restore the row
hint-config-clock = Production and Staging record the time of the machine: leave out --clock, and unset SOURCE_DATE_EPOCH
hint-config-connection-refused = { $reason }; give this key the role, password and database that the server knows, or let the server admit them
migrate-elsewhere = its tables are in another database than that of ConnectionStrings:Migrations, whose services are migrated: run stella migrate once more with ConnectionStrings:Migrations=postgres://OWNER:PASSWORD@{ $place }
hint-config-right-missing = { $reason }; as the owner, GRANT it to stella_service again, or ALTER TABLE … ENABLE and FORCE ROW LEVEL SECURITY
hint-config-stray-variable = it would reach every connection past ConnectionStrings: unset it, and write options=, sslrootcert=, sslcert= or sslkey= in the URL where they are meant
hint-config-mapping = the file holds no mapping
hint-config-sections = no key is like it; keys begin with one of { $sections }
hint-config-nearest = did you mean { $key }?
hint-config-twice = { $one } and { $other } are the same key and say different things: keep one
hint-config-set = --set takes KEY=VALUE
hint-config-connection-missing = set ConnectionStrings:Default=postgres://ROLE:PASSWORD@HOST/DATABASE
hint-config-count = write a whole number of 1 or more, without spaces or signs
hint-config-between = write one of the accepted numbers, without spaces, signs or units
hint-config-driver-embedded = set Storage:Driver=postgres, or STELLA_ENVIRONMENT=Development to try things
hint-config-driver-missing = set Storage:Driver=postgres and ConnectionStrings:Default
hint-config-folder-missing = set Storage:DataDirectory to a folder
hint-config-listen = write an IP address and a port, such as 0.0.0.0:7070
hint-config-admin-listen = metrics are not for everybody: choose another port than that of Server:Listen
hint-config-pairs = write NAME=VALUE pairs set apart by commas, the values percent-encoded
hint-config-ratio = write a number from 0 to 1, such as 0.1
hint-config-localhost = name the database's host, or set Storage:AllowLocalhost=true by hand
hint-config-master-key = make one: (umask 077; head -c 32 /dev/urandom > FILE), and set Security:MasterKeyFile=FILE
hint-config-objects-folder = seed-fs needs Storage:DataDirectory, in Production an absolute path
hint-config-objects-missing = set Storage:ObjectStore:Driver=rustfs and its other settings, or seed-fs and Storage:DataDirectory
hint-config-one-of = write one of the accepted values, in lower case
hint-config-public-url = write where clients reach the server, such as https://stella.example
hint-config-public-url-tls = with Server:Tls it begins with https://
hint-config-proxies = { $text } is no address and no network, such as 10.0.0.7 or 192.168.0.0/16
hint-config-tls = set Server:Tls:CertificateFile and Server:Tls:PrivateKeyFile, or neither
hint-config-tls-file = { $reason }; name PEM files of a certificate and its own key that this user can read
tenant-created = the tenant { $tenant } is there
tenant-trusts = VEX statements of { $publisher } count in { $tenant } from the next score on
client-id-invalid = write 1 to 63 letters, digits, ".", "_" and "-", a letter or digit first
time-invalid = write a time of RFC 3339, such as 2026-01-31T00:00:00Z
publisher-invalid = write the name of a publisher, without control characters
server-url-invalid = write where the server is, such as https://stella.example: http or https, a host, no path
tenant-unknown = there is no tenant { $tenant }
tenant-unknown-hint = make it: stella tenant create { $tenant }
client-created = the client { $client } may act in { $tenant } as { $roles }; its key is { $file }
client-created-next = on its machine: stella context set { $tenant } --server URL --tenant { $tenant } --client { $client } --key-file { $file }
client-unknown = there is no client { $client }
client-unknown-hint = see which there are: stella client list
client-key-unknown = the client { $client } has no key { $key }
client-key-unknown-hint = see which it has: stella client show { $client }
client-key-was-revoked = the key { $key } of the client { $client } was revoked, and counts no more
client-key-was-revoked-hint = name another file, in which a new key is made: stella client key add { $client } --key-file FILE
client-roles-set = the client { $client } may act in { $tenant } as { $roles } from its next token on
client-roles-none = the client { $client } gets no token for { $tenant } any more
client-key-added = the key in { $file } counts for the client { $client } now: { $key }
client-keys-revoked = { $count ->
        [0] the client { $client } had no such key any more
        [one] one key of the client { $client } is revoked: it gets no token for it, and tokens that were given before end within { $seconds } seconds
       *[other] { $count } keys of the client { $client } are revoked: it gets no token for them, and tokens that were given before end within { $seconds } seconds
    }
client-taken = there is a client { $client } already, and the key is none of its keys: with another key it would be that client too, in each of its tenants
client-taken-hint = choose another name; or give the client that is there what it lacks: stella client show { $client }, stella client key add, stella client set-roles
client-list-empty = there is no client yet: stella client create
column-roles = ROLES
column-role = ROLE
column-keys = KEYS
column-key = KEY
column-added = ADDED
column-revoked = REVOKED
key-resealed = { $count ->
        [0] every stored key was encrypted with Security:MasterKeyFile before
        [one] one stored key is encrypted anew with Security:MasterKeyFile
       *[other] { $count } stored keys are encrypted anew with Security:MasterKeyFile
    }
key-rotated = { $service } signs with the new key { $key } for { $purpose } from now on; what was signed before stays valid
key-unknown = { $service } has no key for { $purpose }
key-unknown-hint = see which there are: stella key list
column-purpose = PURPOSE
column-state = STATE
column-made = MADE
reference-title = Configuration
reference-generated = Made by `stella config reference`, from the keys and codes in the program; a test fails where they differ.
reference-sources = A key is found, a later source winning: what holds if nothing is set, `/etc/stella/stella.yaml` or `--config FILE`, the environment (`Storage__Driver`; `STELLA_Storage__Driver` wins), `--set Storage:Driver=postgres`. Keys are found without regard to case, values are taken exactly as written. A key that does not exist, below a section of ours, stops the start.
reference-environment = `STELLA_ENVIRONMENT` is `Production` (also where it is not set or unknown), `Staging`, `Development` or `Testing`. The first two refuse `filesystem`, `inmemory`, a database on this machine without `Storage:AllowLocalhost`, and `seed-fs` without an absolute folder. `stella config check` judges a configuration and opens nothing.
reference-keys = Keys
reference-codes = What stops a start
reference-codes-about = All problems are told at once, each on a line, before a port is opened. Exit code 10 is for what may be mended by waiting, 78 for the rest.
reference-secret = { $accepts }; never shown
reference-column-key = Key
reference-column-takes = Takes
reference-column-default = If not set
reference-column-about = What for
reference-column-code = Code
reference-column-exit = Exit
reference-column-means = Means
hint-config-rustfs = rustfs needs { $key }
hint-config-endpoint = write http:// or https:// and a host
hint-config-bucket = write 3 to 63 of a-z, 0-9, . and -
config-hidden = (hidden)
field-about = for
field-key = key
field-accepts = accepts
field-default = default
field-counts = counts
field-overruled = overruled
