//! What no record may hold when it leaves the process.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};

const GONE: &str = "[redacted]";

/// Below this length a configured secret may be a word of any text; the patterns still find it
/// behind its name.
const SHORTEST: usize = 8;

/// Whoever is called so has a secret for a value.
const NAMES: &str = r#"(?i:
    authorization|cookie|dpop|passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key
    |(?:secret[_-]?access|private|signing|master|account|shared[_-]?access)[_-]?key
    |client[_-]?(?:secret|assertion)|(?:access|refresh|id|bearer|auth|session)[_-]?token|token
    |x-amz-(?:signature|credential|security-token)|signature|credentials?
)"#;

/// A colour of a terminal may stand around each part of `name=value`.
const RULES: &str = r#"(?xs)
    # A private key, also with what stands between its words escaped, also cut off.
    -----BEGIN[A-Z0-9%+\ ]*PRIVATE(?:[+\ ]|%20)KEY-----
      (?: [^"]*?-----END[A-Z0-9%+\ ]*PRIVATE(?:[+\ ]|%20)KEY-----
        | (?:[A-Za-z0-9+/=%\s]|\\[nrt])* )
    # The value of a name that says what it is, up to its quote or the next separator.
    | (?P<name>NAMES
      (?:\x1b\[[0-9;]*m)* (?P<named>\\*["'])? (?:\x1b\[[0-9;]*m)*
      (?:\s*[:=]\s*|%3[aAdD]) (?:\x1b\[[0-9;]*m)*)
      (?: (?P<escaped>\\+")(?s:.*?)(?:\\*"|\z) | (?P<double>")(?:[^"\\]|\\.)*(?:"|\z)
        | (?P<single>')[^']*(?:'|\z)
        | (?i:(?:Bearer|Basic|DPoP|Digest)\s+)?[^\s"'&;,\\\x1b\])}]+ )
    # Credentials by their scheme.
    | (?P<scheme>(?i:\b(?:Bearer|Basic|DPoP)\s+)) [A-Za-z0-9._~+/=-]{8,}
    # A token that is a JWT or the beginning of one.
    | \bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)*
    # An access key of AWS, and the secret that stands behind its id.
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b(?:(?:[\s:/,;]|%3[aA]|%2[fF])+[A-Za-z0-9/+=]{40})?
    # Tokens that say whose they are: of GitHub, GitLab, npm and Slack.
    | (?:gh[pousr]_|github_pat_|glpat-|npm_)[A-Za-z0-9_-]{20,} | xox[abeoprs]-[A-Za-z0-9-]{10,}
    # Who enters a URL.
    | (?P<url>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'?\#]+@
    # An e-mail address, also where a URL encodes it.
    | [A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}
"#;

/// None where the rules cannot be read, which a test refuses; then nothing is told at all.
static PATTERN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&RULES.replace("NAMES", NAMES)).ok());
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?x)^{NAMES}$")).ok());

/// Takes out of texts what must not be told: what looks like a secret, and what is known as one.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<[String]>,
}

impl Redactor {
    /// Knows these values beside what looks like a secret.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let long = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST);
        // Also as it stands in a text that is quoted.
        let quoted = |secret: String| [secret.escape_debug().to_string(), secret];
        let mut known: Vec<String> = long.flat_map(quoted).collect();
        // A secret that holds another goes as a whole.
        known.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        known.dedup();
        Self {
            known: known.into(),
        }
    }

    /// The value of a name without any of it.
    pub(crate) fn clean_value(&self, name: &str, value: &str) -> String {
        match &*NAME {
            Some(names) if !names.is_match(name) => self.clean(value).into_owned(),
            _ => GONE.to_owned(),
        }
    }

    /// The text without any of it.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(pattern) = &*PATTERN else {
            return Cow::Borrowed(GONE);
        };
        let mut text = Cow::Borrowed(text);
        for secret in self.known.iter() {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), GONE));
            }
        }
        match pattern.replace_all(&text, replaced) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => Cow::Owned(clean),
        }
    }
}

/// What told that it is a secret stays, so that a reader sees what was there.
fn replaced(found: &Captures<'_>) -> String {
    let part = |name: &str| found.name(name).map(|part| part.as_str());
    if let Some(url) = part("url") {
        return format!("{url}{GONE}@");
    }
    let kept = part("name").or(part("scheme")).unwrap_or_default();
    // A line of JSON stays one: what was quoted, or stands behind a quoted name, is quoted again.
    let quotes = ["escaped", "double", "single", "named"];
    let quote = quotes.into_iter().find_map(part).unwrap_or_default();
    format!("{kept}{quote}{GONE}{quote}")
}

/// What it knows is a secret.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} known)", self.known.len())
    }
}
