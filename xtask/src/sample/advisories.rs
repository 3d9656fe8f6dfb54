use serde_json::{Value, json};

/// OSV advisories in our own words on public facts, under the ids of the advisories they speak
/// about.
pub(super) fn documents() -> Vec<Value> {
    let mut documents = vec![
        libwebp_sys(),
        time(),
        smallvec(),
        regex(),
        chrono(),
        zip(),
        atty(),
        humantime(),
    ];
    for document in &mut documents {
        document["schema_version"] = "1.6.0".into();
        document["modified"] = super::MOMENT.into();
        document["database_specific"] = json!({"stella:sample": true});
    }
    documents
}

/// What an advisory says of one crate's versions.
fn affected(package: &str, events: Value) -> Value {
    json!([{
        "package": {"ecosystem": "crates.io", "name": package, "purl": format!("pkg:cargo/{package}")},
        "ranges": [{"type": "SEMVER", "events": events}],
    }])
}

fn references(id: &str) -> Value {
    json!([{"type": "ADVISORY", "url": format!("https://rustsec.org/advisories/{id}.html")}])
}

fn libwebp_sys() -> Value {
    json!({
        "id": "RUSTSEC-2023-0061",
        "published": "2023-09-12T12:00:00Z",
        "aliases": ["CVE-2023-4863", "GHSA-j7hp-h8jx-5ppr"],
        "summary": "Sample: decoding a crafted WebP image overflows a heap buffer",
        "details": "The crate compiles a copy of libwebp whose lossless decoder sizes its Huffman tables too small for some inputs. An image made for it writes beyond the table. Attacks were seen before the correction, so the vulnerability is listed as known to be exploited.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"}],
        "affected": affected("libwebp-sys", json!([{"introduced": "0"}, {"fixed": "0.9.3"}])),
        "references": references("RUSTSEC-2023-0061"),
    })
}

fn time() -> Value {
    let events = json!([{"introduced": "0"}, {"fixed": "0.2.0"}, {"introduced": "0.2.7"}, {"fixed": "0.2.23"}]);
    json!({
        "id": "RUSTSEC-2020-0071",
        "published": "2020-11-18T12:00:00Z",
        "aliases": ["CVE-2020-26235", "GHSA-wcg3-cvx6-7396"],
        "summary": "Sample: asking for the local time zone can crash a program with threads",
        "details": "On Unix the crate looks up the local offset through the environment of the process. If another thread changes the environment at that moment, freed memory is read and the process may end.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": affected("time", events),
        "references": references("RUSTSEC-2020-0071"),
    })
}

fn smallvec() -> Value {
    let events = json!([{"introduced": "0.6.3"}, {"fixed": "0.6.14"}, {"introduced": "1.0.0"}, {"fixed": "1.6.1"}]);
    json!({
        "id": "RUSTSEC-2021-0003",
        "published": "2021-01-08T12:00:00Z",
        "aliases": ["CVE-2021-25900", "GHSA-43w2-9j62-hq99"],
        "summary": "Sample: insert_many writes past its buffer when an iterator yields more than it announced",
        "details": "Room is set aside for as many items as the iterator's lower bound promises. An iterator that goes on beyond it makes the method write behind the end of the heap buffer.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": affected("smallvec", events),
        "references": references("RUSTSEC-2021-0003"),
    })
}

fn regex() -> Value {
    json!({
        "id": "RUSTSEC-2022-0013",
        "published": "2022-03-08T12:00:00Z",
        "aliases": ["CVE-2022-24713", "GHSA-m5pq-gvj9-9vr8"],
        "summary": "Sample: a hostile pattern with huge repetitions of nothing takes very long to compile",
        "details": "The limit on the size of compiled patterns does not count repetitions of an empty expression. Whoever may choose the pattern can keep a processor busy; patterns that the program itself contains are no risk.",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": affected("regex", json!([{"introduced": "0"}, {"fixed": "1.5.5"}])),
        "references": references("RUSTSEC-2022-0013"),
    })
}

fn chrono() -> Value {
    json!({
        "id": "RUSTSEC-2020-0159",
        "published": "2020-11-10T12:00:00Z",
        "related": ["CVE-2020-26235", "RUSTSEC-2020-0071"],
        "summary": "Sample: converting to local time races with changes of the environment",
        "details": "The same race as in the time crate, through the C library's localtime_r. No severity was published for it.",
        "affected": affected("chrono", json!([{"introduced": "0"}, {"fixed": "0.4.20"}])),
        "references": references("RUSTSEC-2020-0159"),
    })
}

fn zip() -> Value {
    json!({
        "id": "RUSTSEC-2025-0168",
        "published": "2025-03-16T12:00:00Z",
        "aliases": ["CVE-2025-29787", "GHSA-94vh-gphv-8pm8"],
        "summary": "Sample: extracting an archive follows links that the archive itself brought",
        "details": "A symbolic link that was unpacked first is followed by entries that come later in the same archive, so a crafted archive writes outside the folder it is unpacked to.",
        "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:H/AT:N/PR:L/UI:N/VC:L/VI:H/VA:N/SC:H/SI:H/SA:H"}],
        "affected": affected("zip", json!([{"introduced": "1.3.0"}, {"fixed": "2.3.0"}])),
        "references": references("RUSTSEC-2025-0168"),
    })
}

fn atty() -> Value {
    let mut affected = affected("atty", json!([{"introduced": "0"}]));
    affected[0]["database_specific"] = json!({"informational": "unmaintained"});
    json!({
        "id": "RUSTSEC-2024-0375",
        "published": "2024-09-25T12:00:00Z",
        "summary": "Sample: nobody maintains the crate any more",
        "details": "The author has ended the work on it. The standard library has had the same since Rust 1.70, as the trait IsTerminal.",
        "affected": affected,
        "references": references("RUSTSEC-2024-0375"),
    })
}

fn humantime() -> Value {
    // 2.2.0 is the first release of the new organisation; the workspace uses a later one.
    let events = json!([{"introduced": "0"}, {"fixed": "2.2.0"}]);
    let mut affected = affected("humantime", events);
    affected[0]["database_specific"] = json!({"informational": "unmaintained"});
    json!({
        "id": "RUSTSEC-2025-0014",
        "published": "2025-03-08T12:00:00Z",
        "withdrawn": "2025-03-12T12:00:00Z",
        "summary": "Sample, withdrawn: the crate was thought to be without a maintainer",
        "details": "Maintenance passed to another organisation within days, and the advisory was taken back.",
        "affected": affected,
        "references": references("RUSTSEC-2025-0014"),
    })
}
