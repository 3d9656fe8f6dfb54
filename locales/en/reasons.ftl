# Why a score is what it is: a sentence for each reason code, and the headline of an explanation.
# Numbers are points of 100. A text that its publisher left empty comes as `none`.

explain-headline = { $vulnerability } in { $purl } scores { $score } of 100: { $band }.
explain-headline-open = { $vulnerability } in { $purl } scores { $score } of 100: { $band }. It could be up to { $high }, for want of what is named below.
explain-headline-unknown = { $vulnerability } in { $purl } is not scored: no published severity can be used. It could be anything up to { $high }.
explain-headline-unknown-capped = { $vulnerability } in { $purl } is not scored: no published severity can be used. Whatever it were, a trusted statement caps it at { $high }.
explain-headline-unknown-floor = { $vulnerability } in { $purl } is not scored: no published severity can be used. It is { $low } at the least and could be up to { $high }.

reason-cvss-own-newest = The advisory itself states the CVSS { $version } vector { $vector }: a base score of { $score }, which is { $output } points.
reason-cvss-alias-highest = The advisory states no usable vector; the highest of those that share an alias with it is the CVSS { $version } vector { $vector }: a base score of { $score }, which is { $output } points.
reason-cvss-weighted = The severity is the whole weight of the profile and brings { $delta } points.
reason-cvss-no-published-severity = No document states a CVSS vector, so there is no severity to score by.
reason-cvss-all-invalid = Documents state CVSS vectors, but none of them can be read, so there is no severity to score by.
reason-kev-floor =
    { $cve } is in the catalogue of known exploited vulnerabilities{ $date ->
        [none] { "" }
       *[other] { " " }since { $date }
    }: that raises the score from { $input } to { $output }.
reason-kev-above-floor =
    { $cve } is in the catalogue of known exploited vulnerabilities{ $date ->
        [none] { "" }
       *[other] { " " }since { $date }
    }: the score is at its floor or above, so { $output } stays.
reason-kev-not-listed = The catalogue of known exploited vulnerabilities does not list it: { $output } stays.
reason-kev-no-catalogue = There is no whole catalogue of known exploited vulnerabilities to look into: { $output } stays.
reason-vex-trusted-not-affected =
    { $publisher }, whom the tenant trusts, states that the component is not affected{ $justification ->
        [none] { "" }
       *[other] { " " }({ $justification })
    }: that caps the score, from { $input } to { $output }.
reason-vex-untrusted-not-affected =
    { $publisher } states that the component is not affected{ $justification ->
        [none] { "" }
       *[other] { " " }({ $justification })
    }, but is not in the tenant's trust policy: { $output } stays.
reason-vex-self-contradicted =
    { $publisher } states that the component is not affected{ $justification ->
        [none] { "" }
       *[other] { " " }({ $justification })
    }, and at the same time the contrary: { $output } stays.
reason-vex-statement-noted =
    { $publisher } states: { $status }{ $justification ->
        [none] { "" }
       *[other] { " " }({ $justification })
    }. That moves nothing: { $output } stays.
