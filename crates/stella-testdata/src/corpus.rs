//! What each fuzz target starts from: published files, and a few inputs of our own where nobody
//! publishes any. The tests replay it, and `bench/fuzz.sh` fuzzes on from it.

use std::fs;

use crate::{dir, files};

/// Larger files teach a fuzzer nothing that smaller ones do not; those of many inputs may be large.
const LARGEST: u64 = 32 * 1024;
/// So many inputs of each place, spread over all that it has.
const SAMPLE: usize = 120;

/// How inputs stand in files.
#[derive(Clone, Copy)]
enum Form {
    /// Each file is one.
    Files,
    /// Each line is one.
    Lines,
    /// Each run of characters without a space, quote or comma is one.
    Words,
    /// The same, some of them on lines of their own.
    Groups,
}
use Form::{Files, Groups, Lines, Words};

/// A folder of a topic, and how the names of its files end.
type Published = (&'static str, &'static str, &'static str, Form);

/// The inputs of a target.
struct Corpus {
    target: &'static str,
    published: &'static [Published],
    own: &'static [&'static str],
}

const ENVELOPE: &str = r#"{"source":{"publisher":"a","distributor":"b","stream":"c","api":"d","collectorVersion":"1"},"upstream":{"id":"e","documentVersion":"1","fetchedAt":"2026-01-02T03:04:05Z","contentDigest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","signature":{"present":true,"verified":false,"format":"pgp","keyId":"f"}}}"#;

const CORPORA: &[Corpus] = &[
    Corpus {
        target: "archive",
        published: &[
            ("fuzz", "evil-archives", "", Files),
            ("fuzz", "zip-slip/archives", "", Files),
        ],
        own: &[],
    },
    Corpus {
        target: "csaf",
        published: &[("csaf", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "cve",
        published: &[("cve5", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "cvss",
        published: &[("cvss", "derived", ".tsv", Words)],
        own: &[],
    },
    Corpus {
        target: "cyclonedx",
        published: &[
            ("sbom", "", ".json", Files),
            ("vex", "cyclonedx-vex", ".json", Files),
        ],
        own: &[],
    },
    Corpus {
        target: "document",
        published: &[
            ("canon", "jsontestsuite", ".json", Files),
            ("csaf", "", "", Files),
            ("fuzz", "blns", "", Files),
            ("osv", "", "", Files),
            ("sbom", "", "", Files),
            ("vex", "", "", Files),
        ],
        own: &[],
    },
    Corpus {
        target: "dsse",
        published: &[("attest", "", ".json", Files)],
        own: &[
            r#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"a","sig":"AAAA"},{"sig":""}]}"#,
        ],
    },
    Corpus {
        target: "envelope",
        published: &[("fuzz", "blns", ".json", Files)],
        own: &[ENVELOPE, r#"{"source":{"risk":1},"upstream":null,"x":[]}"#],
    },
    Corpus {
        target: "epss",
        published: &[("fuzz", "blns", ".txt", Files)],
        own: &[
            "#model_version:v2025.03.14,score_date:2025-03-18T12:55:00Z\ncve,epss,percentile\nCVE-2021-44228,0.94,0.999\nCVE-1999-0001,1e-05,\n",
            "cve,epss,percentile\r\nCVE-2021-44228,2,x\r\nCVE-2021-44228,0.1,0.2",
        ],
    },
    Corpus {
        target: "json",
        published: &[("canon", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "jwt",
        published: &[("auth", "", ".json", Words)],
        own: &[],
    },
    Corpus {
        target: "kev",
        published: &[("risk", "kev", ".json", Files)],
        own: &[
            r#"{"catalogVersion":"2025.08.25","dateReleased":"2025-08-25T10:00:00Z","count":2,"vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","vulnerabilityName":"Log4Shell"},{"cveID":"CVE-2021-44228"}]}"#,
        ],
    },
    Corpus {
        target: "line",
        published: &[("canon", "jsontestsuite", ".json", Files)],
        own: &[
            r#"{"envelope":{"source":{"publisher":"a","stream":"b"},"upstream":{"id":"c","fetchedAt":"2026-01-02T03:04:05Z","contentDigest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}},"raw":{}}"#,
            r#"{"rawBase64":"e30=","envelope":null}"#,
        ],
    },
    Corpus {
        target: "lines",
        published: &[("fuzz", "blns", ".txt", Files)],
        own: &["{a}\r\n\n \n{b}\n{c}"],
    },
    Corpus {
        target: "openvex",
        published: &[("vex", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "osv",
        published: &[("osv", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "request",
        published: &[("fuzz", "blns", ".txt", Lines)],
        own: &[
            "/a?pageSize=7&pageToken=WyJhIixbImIiLDFdXQ&purl=pkg:npm/%40a/b@1",
            "/a/sha256:0123abcd?since=2026-01-02T03:04:05Z&x=%00&x=%ff\nPrefer: wait=1, respond-stream\nIf-None-Match: W/\"a\"\nContent-Type: application/json; charset=utf-8",
            "/a\nTraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nTracestate: a=1\nX-Forwarded-For: 198.51.100.1, [::1]:7\nIdempotency-Key: a",
        ],
    },
    Corpus {
        target: "spdx",
        published: &[("sbom", "", ".json", Files)],
        own: &[],
    },
    Corpus {
        target: "token",
        published: &[("fuzz", "blns", ".txt", Lines)],
        own: &["rt1.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcAAAAAp9ymXw"],
    },
    Corpus {
        target: "trie",
        published: &[("canon", "derived", ".txt", Lines)],
        own: &[],
    },
    Corpus {
        target: "versions",
        published: &[
            ("versions", "", ".json", Groups),
            ("versions", "", ".txt", Groups),
        ],
        own: &[],
    },
    Corpus {
        target: "yaml",
        published: &[
            ("fuzz", "yaml-test-suite-data", "in.yaml", Files),
            ("osv", "pypa", ".yaml", Files),
        ],
        own: &["a: &x [1]\nb: *x", "? [a]\n: |\n  text\n--- !!str\n'z'"],
    },
];

/// The names of the targets.
#[must_use]
pub fn targets() -> Vec<&'static str> {
    CORPORA.iter().map(|corpus| corpus.target).collect()
}

/// What a target starts from, the same in every run; without the test data what is our own.
///
/// # Panics
/// There is no such target.
#[must_use]
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let corpus = CORPORA.iter().find(|corpus| corpus.target == target);
    let corpus = corpus.unwrap_or_else(|| panic!("no corpus for {target}"));
    let own = corpus.own.iter().map(|text| text.as_bytes().to_vec());
    own.chain(corpus.published.iter().flat_map(published))
        .collect()
}

/// Gives a target all that it starts from, and each of that as it may be damaged on its way.
pub fn replay(target: &str, fuzz: impl Fn(&[u8])) {
    for input in corpus(target) {
        fuzz(&input);
        damaged(&input).iter().for_each(|input| fuzz(input));
    }
}

fn published(&(topic, folder, ending, form): &Published) -> Vec<Vec<u8>> {
    let Some(root) = dir(topic) else {
        return Vec::new();
    };
    let mut files = files(&root.join(folder), ending);
    let mut inputs: Vec<Vec<u8>> = match form {
        Files => {
            files.retain(|path| path.metadata().is_ok_and(|is| is.len() <= LARGEST));
            return spread(files)
                .iter()
                .filter_map(|path| fs::read(path).ok())
                .collect();
        }
        Lines | Words | Groups => {
            let texts = files.iter().filter_map(|path| fs::read(path).ok());
            texts.flat_map(|bytes| parts(&bytes, form)).collect()
        }
    };
    inputs.retain(|input| !input.is_empty() && input.len() <= 4096);
    spread(inputs)
}

fn parts(bytes: &[u8], form: Form) -> Vec<Vec<u8>> {
    let between = |byte: &u8| match form {
        Lines => *byte == b'\n',
        _ => b" \t\r\n\",".contains(byte),
    };
    let words: Vec<&[u8]> = bytes.split(between).filter(|one| !one.is_empty()).collect();
    let size = if matches!(form, Groups) { 4 } else { 1 };
    let sample = spread(words.chunks(size).collect()).into_iter();
    sample.map(|words| words.join(&b'\n')).collect()
}

/// So many of them, from the first to the last.
fn spread<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len().div_ceil(SAMPLE).max(1);
    all.into_iter().step_by(step).collect()
}

/// An input cut short, with bits flipped, with a part of it gone or twice, at places that follow
/// from its bytes.
fn damaged(input: &[u8]) -> Vec<Vec<u8>> {
    // FNV-1a, and then a generator of Knuth's: nothing that has to be good.
    let seed = input.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut state = seed;
    let mut place = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % input.len().max(1)
    };
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(input[..place().min(input.len())].to_vec());
        let mut flipped = input.to_vec();
        let bit = place() % 8;
        if let Some(byte) = flipped.get_mut(place()) {
            *byte ^= 1 << bit;
        }
        all.push(flipped);
    }
    let (one, other) = (place(), place());
    let (from, to) = (one.min(other), one.max(other).min(input.len()));
    all.push([&input[..from], &input[to..]].concat());
    all.push([&input[..to], &input[from..]].concat());
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_target_starts_from_something() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/src/bin");
        let mut there: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let table: Vec<String> = targets().iter().map(|name| format!("{name}.rs")).collect();
        assert_eq!(there, table);
        if dir("fuzz").is_some() {
            for target in targets() {
                assert!(corpus(target).len() > 1, "{target}");
            }
        }
    }

    #[test]
    fn damage_is_the_same_in_every_run_and_never_out_of_bounds() {
        for input in [&b""[..], b"a", b"some text"] {
            let all = damaged(input);
            assert!(all.len() == 8 && all == damaged(input));
        }
        assert!(damaged(b"some text").iter().all(|one| one != b"some text"));
    }
}
