#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::{gzip, read};

const TABLE: &str = "#model_version:v2025.03.14,score_date:2025-03-18T12:55:00Z\n\
                     cve,epss,percentile\nCVE-2024-1,0.94321,0.99911\r\nCVE-2024-2,4.2e-05,\n";

fn scores(document: &Document) -> &EpssScores {
    let Body::Epss(scores) = &document.body else {
        panic!("no scores")
    };
    scores
}

#[test]
fn reads_scores_as_published_with_their_lines() {
    let document = read(TABLE.as_bytes()).unwrap();
    assert_eq!(
        (document.format, document.media_type),
        (Format::Epss, "text/csv")
    );
    assert_eq!(
        (document.kind().as_str(), &document.notices[..]),
        ("signal", &[][..])
    );
    let read = scores(&document);
    let rows = read.scores.iter().map(|row| {
        (
            &*row.cve_id,
            &*row.epss,
            row.percentile.as_deref(),
            row.line,
        )
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            ("CVE-2024-1", "0.94321", Some("0.99911"), 3),
            ("CVE-2024-2", "4.2e-05", None, 4)
        ]
    );
    assert_eq!(read.model_version.as_deref(), Some("v2025.03.14"));
    let upstream = document.upstream();
    assert_eq!(
        (
            upstream.publisher.as_deref(),
            upstream.id.as_deref(),
            upstream.version.as_deref()
        ),
        (
            Some("first"),
            Some("first-epss"),
            Some("2025-03-18T12:55:00Z")
        )
    );
}

#[test]
fn gzip_says_the_same() {
    let packed = read(&gzip::packed(TABLE.as_bytes())).unwrap();
    assert_eq!(packed.media_type, "application/gzip");
    assert_eq!(packed.body, read(TABLE.as_bytes()).unwrap().body);
    let error = read(&gzip::packed(b"{\"id\":\"GO-1\"}")).unwrap_err();
    assert_eq!((error.reason, error.line), (Reason::Unsupported, 1));
}

#[test]
fn notices_what_it_half_understands() {
    let notices = |from: &str, to: &str| {
        let read = read(TABLE.replacen(from, to, 1).as_bytes()).unwrap();
        let told = read.notices.into_iter();
        told.map(|notice| (notice.code, notice.pointer))
            .collect::<Vec<_>>()
    };
    let at = |code, line: u8| vec![(code, format!("line:{line}"))];
    assert_eq!(notices("0.94321", "9.4"), at("ODD_EPSS_SCORE", 3));
    assert_eq!(notices("0.99911", "NaN"), at("ODD_EPSS_SCORE", 3));
    assert_eq!(notices("CVE-2024-2", "foo"), at("ODD_EPSS_ID", 4));
    assert_eq!(
        notices("CVE-2024-2", "CVE-2024-1"),
        at("DUPLICATE_EPSS_SCORE", 4)
    );
    assert_eq!(
        notices("2025-03-18T12:55:00Z", "today"),
        at("TIME_NOT_RFC3339", 1)
    );
    assert_eq!(
        notices(",score_date:2025-03-18T12:55:00Z", ""),
        at("MODEL_NOT_NAMED", 1)
    );
    let (_, without) = TABLE.split_once('\n').unwrap();
    assert_eq!(
        read(without.as_bytes()).unwrap().notices[0].code,
        "MODEL_NOT_NAMED"
    );
}

#[test]
fn refuses_a_wrong_shape_with_its_line() {
    let refused = |from: &str, to: &str| {
        let error = read(TABLE.replacen(from, to, 1).as_bytes()).unwrap_err();
        (error.reason, error.line)
    };
    let malformed = |line| (Reason::Malformed, line);
    assert_eq!(refused("cve,epss", "cve,cvss,epss"), malformed(2));
    assert_eq!(refused(",0.99911", ""), malformed(3));
    assert_eq!(refused("CVE-2024-2,", ","), malformed(4));
    assert_eq!(refused("CVE-2024-2", "CVE\u{0}"), malformed(4));
    assert_eq!(refused("v2025", "v\u{0}2025"), malformed(1));
    let bytes = [TABLE.as_bytes(), b"CVE-\xff"].concat();
    assert_eq!(read(&bytes).unwrap_err().line, 5);
}

/// Each day's scores of the entries of the KEV catalogue, as FIRST would have published them.
#[test]
fn reads_every_day_of_the_published_history() {
    let Some(dir) = stella_testdata::dir("risk") else {
        return;
    };
    let history = fs::read_to_string(dir.join("derived/epss-kev-timeseries.tsv")).unwrap();
    let mut days: BTreeMap<&str, String> = BTreeMap::new();
    for row in history.lines().skip(1) {
        let row: Vec<&str> = row.split('\t').collect();
        let day = days.entry(row[0]).or_insert_with(|| {
            format!(
                "#model_version:v1,score_date:{}T00:00:00+0000\n{HEADER}\n",
                row[0]
            )
        });
        *day += &format!("{},{},{}\n", row[1], row[3], row[4]);
    }
    let mut read_scores = 0;
    for day in days.values() {
        crate::fuzz(day.as_bytes());
        let document = read(&gzip::packed(day.as_bytes())).unwrap();
        assert_eq!(document.notices, []);
        read_scores += scores(&document).scores.len();
    }
    assert_eq!(
        (days.len(), read_scores),
        (512, history.lines().count() - 1)
    );
}

/// Found by `bench/fuzz.sh`.
#[test]
fn a_first_line_that_tells_nothing_counts_as_a_line() {
    let table =
        "#model_versiof:v202ate:2025-03-18T12:55:00Z\ncve,epss,percentile\nCVE-1,0.94,0.998";
    crate::Format::Epss.fuzz(table.as_bytes());
    let read = super::read(table.as_bytes()).unwrap();
    assert_eq!(scores(&read).scores[0].line, 3);
}
