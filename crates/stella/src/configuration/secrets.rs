//! What must never be told, of all that a configuration says.

use stella_telemetry::Export;

use super::{Key, Raw};

/// The values of secret keys and headers, and the passwords within them, also where only one
/// source of several counts: what was written in any place is a secret.
pub(super) fn all(raw: &Raw, export: Option<&Export>) -> Vec<String> {
    let mut secrets = Vec::new();
    for key in super::KEYS.iter().filter(|key: &&Key| key.secret) {
        for said in raw.story(key.name) {
            secrets.extend(password(&said.value));
            secrets.push(said.value.clone());
        }
    }
    for value in export.iter().flat_map(|export| export.headers.values()) {
        secrets.push(decoded(value));
        // Of `Bearer …` the word in front is no secret.
        secrets.extend(
            decoded(value)
                .split_once(' ')
                .map(|(_, rest)| rest.to_owned()),
        );
        secrets.push(value.clone());
    }
    secrets
}

/// The password of a connection string, as it is written and as it is meant.
fn password(connection: &str) -> Vec<String> {
    let url = || {
        let (_, rest) = connection.split_once("://")?;
        let (user, _) = rest
            .split_once('/')
            .unwrap_or((rest, ""))
            .0
            .rsplit_once('@')?;
        Some(user.split_once(':')?.1)
    };
    let pair = || {
        let mut pairs = connection
            .split(';')
            .filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("password"))?;
        Some(value.trim())
    };
    let written = url().or_else(pair);
    written.map_or_else(Vec::new, |one| vec![one.to_owned(), decoded(one)])
}

/// A text without its percent encoding.
pub(super) fn decoded(text: &str) -> String {
    let one = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(one.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::SourceOf;

    #[test]
    fn passwords_are_found_in_whatever_way_they_are_written() {
        let mut raw = Raw::default();
        let mut set = |key, value| raw.set(key, value, SourceOf::CommandLine);
        set("ConnectionStrings:Default", "postgres://a:hunter%402@db/x");
        set(
            "ConnectionStrings:Replay",
            "Host=db;Password=hunter 3 ;Database=x",
        );
        set("ConnectionStrings:Replay", "postgres://a@db/x");
        set("Storage:ObjectStore:SecretAccessKey", "hunter4");
        set("Storage:Driver", "postgres");
        let all = all(&raw, None);
        for secret in ["hunter%402", "hunter@2", "hunter 3", "hunter4"] {
            assert!(all.iter().any(|one| one == secret), "{secret}: {all:?}");
        }
        assert!(!all.iter().any(|one| one == "postgres"));
    }
}
