//! What no record may hold when it leaves the process.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;
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
    | (?P<scheme>(?i:\b(?:Bearer|Basic|DPoP)[\s+]+)) [A-Za-z0-9._~+/=-]{8,}
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
        let mut found = Vec::new();
        let mut layer = Some(Layer::outermost(text));
        for _ in 0..LAYERS {
            let Some(read) = layer else { break };
            for secret in self.known.iter() {
                let each = read.text.match_indices(secret.as_str());
                let each = each.map(|(at, secret)| read.place(at..at + secret.len()));
                found.extend(each.map(|place| (place, GONE.to_owned())));
            }
            let each = pattern.captures_iter(&read.text);
            found.extend(each.filter_map(|captures| {
                let place = read.place(captures.get(0)?.range());
                let stays = |range| &text[read.place(range)];
                Some((place, replaced(&captures, stays)))
            }));
            layer = read.decoded();
        }
        match found.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(without(text, found)),
        }
    }
}

/// So often what is percent-encoded may be encoded again, the text itself counted.
const LAYERS: usize = 4;

/// A text, or what it says once its percent-encoding is undone, and where in the text each byte of
/// that stands.
struct Layer<'a> {
    text: Cow<'a, str>,
    /// None where the two are the same.
    places: Option<Vec<usize>>,
}

impl<'a> Layer<'a> {
    fn outermost(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            places: None,
        }
    }

    /// Where it stands in the text itself.
    fn place(&self, range: Range<usize>) -> Range<usize> {
        match &self.places {
            Some(places) => places[range.start]..places[range.end],
            None => range,
        }
    }

    /// The next layer; none where nothing is encoded. What is no ASCII stays as it is: no rule asks
    /// for it.
    fn decoded(self) -> Option<Self> {
        let bytes = self.text.as_bytes();
        bytes.contains(&b'%').then_some(())?;
        let encoded = |at: usize| {
            let [b'%', high, low] = *bytes.get(at..at + 3)? else {
                return None;
            };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
            byte.is_ascii().then_some(byte)
        };
        let (mut text, mut places, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(plain) = bytes.get(at) {
            let byte = encoded(at);
            places.push(self.place(at..at).start);
            text.push(byte.unwrap_or(*plain));
            at += if byte.is_some() { 3 } else { 1 };
        }
        places.push(self.place(at..at).start);
        let text = String::from_utf8(text).ok()?;
        (text.len() < bytes.len()).then_some(Self {
            text: Cow::Owned(text),
            places: Some(places),
        })
    }
}

/// The text with something else in these places; where they overlap, with what the first of them
/// becomes.
fn without(text: &str, mut found: Vec<(Range<usize>, String)>) -> String {
    found.sort_by_key(|(place, _)| (place.start, Reverse(place.end)));
    let (mut clean, mut read) = (String::with_capacity(text.len()), 0);
    for (place, becomes) in found {
        if place.start >= read {
            clean += &text[read..place.start];
            clean += &becomes;
        }
        read = read.max(place.end);
    }
    clean + &text[read..]
}

/// What told that it is a secret stays as it was written, so that a reader sees what was there.
fn replaced<'a>(found: &Captures<'_>, stays: impl Fn(Range<usize>) -> &'a str) -> String {
    let part = |name: &str| found.name(name).map(|part| stays(part.range()));
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
