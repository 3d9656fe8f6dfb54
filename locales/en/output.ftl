# What commands print, and why they fail. Messages: lower case, no full stop.

error = error
hint = hint
trace = trace
place = at line { $line }, column { $column }
place-pointer = at line { $line }, column { $column }, pointer { $pointer }
standard-output = standard output

column-name = NAME
column-server = SERVER
column-tenant = TENANT
column-client = CLIENT

context-list-empty = no contexts yet; `stella up` makes one
context-used = now using { $name } ({ $server })

error-config-invalid = reading the configuration { $path }: { $reason }
error-config-not-written = writing { $path }: { $reason }
error-context-name-invalid = "{ $name }" cannot name a context: letters, digits, ".", "_" and "-", at most 63, a letter or digit first
error-context-not-found = there is no context "{ $name }"
error-context-not-found-hint = stella context list
error-cvss-invalid = { $bad } of { $total } vectors could not be scored
error-input-too-large = the input holds a value of more than { $limit } bytes
error-input-too-large-hint = raise the limit with --max-bytes
error-key-file-open-to-others = the key file { $path } can be read by others than its owner
error-key-file-open-to-others-hint = chmod 600 { $path }
error-key-file-unreadable = reading the key file { $path }: { $reason }
error-no-context = there is no current context
error-no-context-hint = `stella up` makes one, or choose one with `stella context use`
error-no-home = neither { $variable } nor HOME says where files are kept
error-output-not-written = writing to { $target }: { $reason }
error-read-failed = reading standard input: { $reason }
error-usage = { $reason }
usage-no-command = a command is missing
